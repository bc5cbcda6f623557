/* The texts come from CMake's project() and from git at configure time; see cmake/version.h.in.
 */
#include "halograft/version.h"

#include "halograft_version.h"

const char *
hg_version(void)
{
    return HG_VERSION;
}

const char *
hg_version_commit(void)
{
    return HG_COMMIT;
}

const char *
hg_version_build(void)
{
    return HG_BUILD;
}
