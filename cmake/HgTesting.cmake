# Criterion starts a process per Test() and Open MPI can start once per rank of an mpirun, so an MPI
# test is one mpirun per Test() and rank count; see docs/dev/testing.md.
pkg_check_modules(CRITERION REQUIRED IMPORTED_TARGET criterion)
set(HG_MPI_FLAGS --oversubscribe --bind-to none)
if(NOT HG_SANITIZE) # its library wants to be the first of all
  # ranks that wait sleep, see the source
  add_library(patience MODULE ${PROJECT_SOURCE_DIR}/tests/support/patience.c)
  list(APPEND HG_MPI_FLAGS -x LD_PRELOAD=$<TARGET_FILE:patience>)
endif()
# The point-to-point layer that Open MPI would find after opening all others, which takes a third of a short test; and a
# program that was started without mpirun starts no daemon, which takes 0.2 s of waiting. Ranks that wait leave the core to
# others: mpirun asks for that only where its own ranks are too many, and two tests side by side took ten times as long. So
# do threads.
set(HG_TEST_ENV OMPI_MCA_pml=ob1 OMPI_MCA_mpi_yield_when_idle=1 OMP_WAIT_POLICY=passive OMPI_MCA_ess_singleton_isolated=1 OMPI_ALLOW_RUN_AS_ROOT=1
  OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMP_NUM_THREADS=1 OMPI_MCA_rmaps_base_oversubscribe=1
  OMPI_MCA_btl_vader_single_copy_mechanism=none HG_DATA=${HG_DATA_DIR} PYTHONDONTWRITEBYTECODE=1)
# Memory that was given back is written over: who still reads it fails each time and not once in a thousand.
set(HG_SCRIBBLE GLIBC_TUNABLES=glibc.malloc.perturb=165)
if(HG_SANITIZE)
  list(APPEND HG_TEST_ENV ASAN_OPTIONS=leak_check_at_exit=0
    LSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/support/lsan.supp)
endif()

# hg_test_environment(OUT NAME): two starts of MPI at once fall out over the folder they both
# want to make, and one that ends takes away that of another
function(hg_test_environment out name)
  string(MD5 hash ${name})
  string(SUBSTRING ${hash} 0 8 hash)
  set(${out} "${HG_TEST_ENV};OMPI_MCA_orte_tmpdir_base=${PROJECT_BINARY_DIR}/mpi/${hash}" PARENT_SCOPE)
endfunction()

# hg_add_test(NAME test_comm SOURCES test_comm.c [RANKS 1 2 3] [TIMEOUT s] LIBS hg_par)
function(hg_add_test)
  cmake_parse_arguments(T "" "NAME;TIMEOUT" "SOURCES;RANKS;LIBS" ${ARGN})
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 150)
  endif()
  add_executable(${T_NAME} ${T_SOURCES})
  target_include_directories(${T_NAME} PRIVATE ${PROJECT_SOURCE_DIR}/tests/support)
  target_link_libraries(${T_NAME} PRIVATE PkgConfig::CRITERION ${T_LIBS})
  if(NOT T_RANKS)
    add_test(NAME unit.${T_NAME} COMMAND ${T_NAME} -j1)
    hg_test_environment(environment unit.${T_NAME}) # some start MPI
    set_tests_properties(unit.${T_NAME} PROPERTIES LABELS "unit;quick" TIMEOUT ${T_TIMEOUT}
      ENVIRONMENT "${environment};${HG_SCRIBBLE}"
      FAIL_REGULAR_EXPRESSION "Tested: 0 " SKIP_REGULAR_EXPRESSION "SKIPPED:")
    return()
  endif()
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${T_SOURCES})
  file(STRINGS ${T_SOURCES} lines REGEX "^Test\\(")
  foreach(line IN LISTS lines)
    string(REGEX REPLACE "^Test\\(([A-Za-z0-9_]+), *([A-Za-z0-9_]+).*" "\\1;\\2" id "${line}")
    list(GET id 0 suite)
    list(GET id 1 case)
    foreach(n IN LISTS T_RANKS)
      set(test mpi.${suite}.${case}.n${n})
      set(start ${MPIEXEC_EXECUTABLE} ${MPIEXEC_NUMPROC_FLAG} ${n} ${HG_MPI_FLAGS})
      if(n EQUAL 1) # one rank needs no mpirun, which takes twice as long to start as MPI itself
        set(start)
      endif()
      add_test(NAME ${test} COMMAND ${start} $<TARGET_FILE:${T_NAME}> -j1 --filter ${suite}/${case})
      hg_test_environment(environment ${test})
      # starting mpirun is most of a test, and keeps hardly more than one core busy for a few ranks
      set(processors 1)
      if(n GREATER 3)
        set(processors ${n})
      endif()
      set_tests_properties(${test} PROPERTIES LABELS "mpi;n${n}" PROCESSORS ${processors} TIMEOUT ${T_TIMEOUT}
        ENVIRONMENT "${environment};${HG_SCRIBBLE}"
      FAIL_REGULAR_EXPRESSION "Tested: 0 " SKIP_REGULAR_EXPRESSION "SKIPPED:")
    endforeach()
  endforeach()
endfunction()

# hg_add_fuzz_target(fuzz_x fuzz_x.c): replays tests/fuzz/x as test fuzz.x; with HG_FUZZ a program of libFuzzer
function(hg_add_fuzz_target name source)
  string(REGEX REPLACE "^fuzz_" "" short ${name})
  add_executable(${name} ${source})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests/support)
  target_link_libraries(${name} PRIVATE hg_match)
  if(HG_FUZZ)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    return()
  endif()
  target_sources(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests/support/fuzz_replay.c)
  add_test(NAME fuzz.${short} COMMAND ${name} ${PROJECT_SOURCE_DIR}/tests/fuzz/${short})
  set_tests_properties(fuzz.${short} PROPERTIES LABELS "unit;fuzz;quick" TIMEOUT 60 ENVIRONMENT "${HG_TEST_ENV};${HG_SCRIBBLE}")
endfunction()

# hg_add_script_test(NAME cli.x LABELS cli COMMAND ... [TIMEOUT s] [PROCESSORS n]): exit code 77 = skipped, loudly
function(hg_add_script_test)
  cmake_parse_arguments(T "" "NAME;TIMEOUT;PROCESSORS" "COMMAND;LABELS" ${ARGN})
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 120)
  endif()
  if(NOT T_PROCESSORS)
    set(T_PROCESSORS 1)
  endif()
  add_test(NAME ${T_NAME} COMMAND ${T_COMMAND})
  hg_test_environment(environment ${T_NAME})
  list(JOIN HG_MPI_FLAGS " " flags)
  set_tests_properties(${T_NAME} PROPERTIES LABELS "${T_LABELS}" TIMEOUT ${T_TIMEOUT}
    PROCESSORS ${T_PROCESSORS} COST 10 SKIP_RETURN_CODE 77 # long ones first
    ENVIRONMENT "${environment};HALOGRAFT=$<TARGET_FILE:program>;HG_SOURCE=${PROJECT_SOURCE_DIR};HG_BUILD_DIR=${PROJECT_BINARY_DIR};HG_MPIRUN=${MPIEXEC_EXECUTABLE} ${flags}")
endfunction()
