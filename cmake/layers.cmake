# Builds one static library `minke_<band>_<folder>` for each line of LAYERS, linked to the folders
# that line names, and notes the tests beside the sources for tests.cmake. Adding a file needs no
# edit here. `apps` has a library like every folder; its main.cc alone makes the program.

# Compiler flags of the instruction-set folders under math/kernels and apps/measure/chains; they
# belong to the folder, never to a file.
set(MINKE_ISA_FLAGS_avx2 -mavx2 -mfma -mf16c)
set(MINKE_ISA_FLAGS_avx512
    -mavx2 -mfma -mf16c -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vnni
    -mprefer-vector-width=512)
set(MINKE_ISA_FLAGS_avx512_bf16 ${MINKE_ISA_FLAGS_avx512} -mavx512bf16)
set(MINKE_ISA_FLAGS_amx -mamx-tile -mamx-int8 -mamx-bf16)

# What a folder links besides other folders.
set(MINKE_LIBS_base_core fmt::fmt simdjson::simdjson nlohmann_json::nlohmann_json)
set(MINKE_LIBS_base_cpu Threads::Threads)
set(MINKE_LIBS_text_tokenizer PkgConfig::PCRE2 PkgConfig::UTF8PROC)
set(MINKE_LIBS_apps CLI11::CLI11 PkgConfig::LIBEDIT)

function(minke_add_layer folder deps)
  string(REPLACE "/" "_" id ${folder})
  set(dir ${PROJECT_SOURCE_DIR}/src/${folder})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${dir}/*.cc)
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER sources EXCLUDE REGEX "(_test|/apps/main)\\.cc$")
  foreach(isa avx2 avx512 avx512_bf16 amx)
    set(isa_sources ${sources})
    list(FILTER isa_sources INCLUDE REGEX "/(kernels|chains)/${isa}/")
    set_source_files_properties(${isa_sources} PROPERTIES
                                COMPILE_OPTIONS "${MINKE_ISA_FLAGS_${isa}}")
  endforeach()
  set(links ${MINKE_LIBS_${id}})
  foreach(dep ${deps})
    string(REPLACE "/" "_" dep_id ${dep})
    if(NOT TARGET minke_${dep_id})
      message(FATAL_ERROR "LAYERS: ${folder} may not include ${dep}, which has no line above it")
    endif()
    list(APPEND links minke_${dep_id})
  endforeach()

  if(sources)
    add_library(minke_${id} STATIC ${sources})
    set(scope PUBLIC)
  else()
    add_library(minke_${id} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(minke_${id} ${scope} ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(minke_${id} ${scope} ${links})
  if(folder STREQUAL "apps")
    add_executable(minke ${dir}/main.cc)
    target_compile_definitions(minke PRIVATE MINKE_VERSION="${PROJECT_VERSION}")
    target_link_libraries(minke PRIVATE minke_apps)
  endif()
  if(tests)
    set_property(GLOBAL APPEND PROPERTY MINKE_TEST_FOLDERS ${folder})
    set_property(GLOBAL PROPERTY MINKE_TESTS_${id} ${tests})
  endif()
endfunction()

function(minke_add_layers)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/LAYERS)
  file(STRINGS ${PROJECT_SOURCE_DIR}/LAYERS lines)
  foreach(line ${lines})
    if(line MATCHES "^([a-z_/]+): ?([a-z_/ ]*)$")
      set(folder ${CMAKE_MATCH_1})
      separate_arguments(deps UNIX_COMMAND "${CMAKE_MATCH_2}")
      minke_add_layer(${folder} "${deps}")
    elseif(NOT line MATCHES "^#")
      message(FATAL_ERROR "LAYERS: expected \"folder: folders it may include\", found \"${line}\"")
    endif()
  endforeach()
endfunction()
