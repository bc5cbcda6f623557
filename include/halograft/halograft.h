/** All public headers in one. Layer: all. */
#ifndef HALOGRAFT_HALOGRAFT_H
#define HALOGRAFT_HALOGRAFT_H

#include "halograft/catalog.h"
#include "halograft/comm.h"
#include "halograft/cosmology.h"
#include "halograft/error.h"
#include "halograft/forest.h"
#include "halograft/log.h"
#include "halograft/params.h"
#include "halograft/schema.h"
#include "halograft/stages.h"
#include "halograft/table.h"
#include "halograft/version.h"

#endif
