#include "catalog/format.h"
const hg_format hg_format_columns = {.name = "columns"};
