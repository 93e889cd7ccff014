# Test programs and their labels:
#   fast   *_test.cc beside the sources, one program `<band>_<folder>_test` a folder, and the
#          programs under tests/
#   slow   *_slow_test.cc in the same places, one program `..._slow_test`
#   check  style, format, layers, docs: they read the sources and do not depend on the build (also
#          fast)
# The targets tests_fast and tests_slow build all programs of a label.
add_custom_target(tests_fast)
add_custom_target(tests_slow)

function(minke_add_test name label seconds)
  add_executable(${name} ${ARGN})
  target_link_libraries(${name} PRIVATE GTest::gtest_main)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_compile_definitions(${name} PRIVATE
                             MINKE_GOLDEN_DIR="${PROJECT_SOURCE_DIR}/tests/golden")
  add_test(NAME ${name} COMMAND ${name})
  # ThreadSanitizer slows what threads do together by up to a hundred times.
  if(MINKE_SANITIZE)
    math(EXPR seconds "4 * ${seconds}")
  endif()
  set_tests_properties(${name} PROPERTIES LABELS ${label} TIMEOUT ${seconds})
  add_dependencies(tests_${label} ${name})
endfunction()

# The programs <name>_test and <name>_slow_test from whichever of `sources` there are.
function(minke_add_tests name sources)
  set(slow ${sources})
  list(FILTER slow INCLUDE REGEX "_slow_test\\.cc$")
  list(FILTER sources EXCLUDE REGEX "_slow_test\\.cc$")
  if(sources)
    minke_add_test(${name}_test fast 300 ${sources})
    target_link_libraries(${name}_test PRIVATE ${ARGN})
  endif()
  if(slow)
    minke_add_test(${name}_slow_test slow 1800 ${slow})
    target_link_libraries(${name}_slow_test PRIVATE ${ARGN})
  endif()
endfunction()

get_property(folders GLOBAL PROPERTY MINKE_TEST_FOLDERS)
foreach(folder ${folders})
  string(REPLACE "/" "_" id ${folder})
  get_property(sources GLOBAL PROPERTY MINKE_TESTS_${id})
  minke_add_tests(${id} "${sources}" minke_${id})
endforeach()

# What crosses folders: tests/kernels (every kernel against its scalar twin), tests/golden (models
# against reference values).
function(minke_add_cross_tests name)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/${name}/*_test.cc)
  minke_add_tests(${name} "${sources}" ${ARGN})
endfunction()
minke_add_cross_tests(kernels minke_math_kernels minke_math_quant)
# Kernels of levels that machines lack, by means that more of them have.
set(emulated_amx ${PROJECT_SOURCE_DIR}/tests/kernels/emulated_amx.cc)
set(evex_avx_vnni ${PROJECT_SOURCE_DIR}/tests/kernels/evex_avx_vnni.cc)
set_source_files_properties(${emulated_amx} PROPERTIES COMPILE_OPTIONS "${MINKE_ISA_FLAGS_amx}")
set_source_files_properties(${evex_avx_vnni} PROPERTIES COMPILE_OPTIONS "${MINKE_ISA_FLAGS_avx512}")
target_sources(kernels_test PRIVATE ${emulated_amx} ${evex_avx_vnni})
minke_add_cross_tests(golden minke_serve_engine minke_learn_train)

# Code for every processor holds no newer instruction. Sanitizers add code of their own.
if(NOT MINKE_SANITIZE)
  set(illegal ${PROJECT_SOURCE_DIR}/tests/kernels/check_illegal_instructions.py)
  add_test(NAME kernels_instructions COMMAND python3 ${illegal} ${PROJECT_BINARY_DIR})
  set_tests_properties(kernels_instructions PROPERTIES LABELS fast TIMEOUT 300)
endif()

# tests/e2e/<name>_test.py drives the built program as its users do; <name>_slow_test.py is slow.
file(GLOB e2e_tests CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/e2e/*_test.py)
foreach(script ${e2e_tests})
  get_filename_component(name ${script} NAME_WE)
  set(label fast)
  set(seconds 600)
  if(name MATCHES "_slow_test$")
    set(label slow)
    set(seconds 1800)
  endif()
  string(REGEX REPLACE "_test$" "" name ${name})
  add_test(NAME e2e_${name} COMMAND python3 ${script} $<TARGET_FILE:minke>)
  set_tests_properties(e2e_${name} PROPERTIES LABELS ${label} TIMEOUT ${seconds})
endforeach()

# The rules that a machine can check, and tests of the checkers themselves.
function(minke_add_check name)
  add_test(NAME check_${name} COMMAND ${ARGN} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(check_${name} PROPERTIES LABELS "fast;check" TIMEOUT 120)
endfunction()
minke_add_check(layers python3 tools/check_layers.py)
minke_add_check(layers_checker python3 tools/check_layers_test.py)
minke_add_check(docs python3 tools/check_docs.py)
minke_add_check(docs_checker python3 tools/check_docs_test.py)
minke_add_check(style python3 tools/tidy.py)
minke_add_check(style_checker python3 tools/tidy_test.py)
minke_add_check(format tools/check_format.sh)

# With MINKE_FUZZ one libFuzzer program for each tests/fuzz/<name>_fuzz.cc; the target `fuzzers`
# builds them all. Otherwise they are one test program, which has seeds of its own.
file(GLOB fuzzers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/fuzz/*_fuzz.cc)
set(fuzzed minke_serve_api minke_serve_engine minke_serve_http minke_text_chat minke_learn_data)
if(MINKE_FUZZ)
  add_custom_target(fuzzers)
  foreach(source ${fuzzers})
    get_filename_component(name ${source} NAME_WE)
    add_executable(${name} ${source})
    target_link_libraries(${name} PRIVATE ${fuzzed})
    target_compile_definitions(${name} PRIVATE
                               MINKE_GOLDEN_DIR="${PROJECT_SOURCE_DIR}/tests/golden")
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    add_dependencies(fuzzers ${name})
  endforeach()
else()
  set(fuzz_targets "")
  foreach(source ${fuzzers})
    get_filename_component(name ${source} NAME_WE)
    set_source_files_properties(${source} PROPERTIES COMPILE_DEFINITIONS
                                                     LLVMFuzzerTestOneInput=${name})
    string(APPEND fuzz_targets "FUZZ_TARGET(${name})\n")
  endforeach()
  minke_add_test(fuzz_test fast 300 ${PROJECT_SOURCE_DIR}/tests/fuzz/fuzz_test.cc ${fuzzers})
  target_link_libraries(fuzz_test PRIVATE ${fuzzed})
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/fuzz/targets.inc CONTENT "${fuzz_targets}")
  target_include_directories(fuzz_test PRIVATE ${PROJECT_BINARY_DIR}/fuzz)
endif()
