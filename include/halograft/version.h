/** Version of the library as loaded. Layer: base. */
#ifndef HALOGRAFT_VERSION_H
#define HALOGRAFT_VERSION_H

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

/** Version ("0.1.0"), state of the source ("git describe"), and compiler with its flags;
 * borrowed constants.
 *
 * @local
 */
const char *hg_version(void);
const char *hg_version_commit(void);
const char *hg_version_build(void);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop

#endif
