# The web page as part of the program: each file of web/dist, as it is and compressed, is included
# in the source that this writes. Without web/dist the program has no page and says so.

set(page_source ${PROJECT_BINARY_DIR}/built_page.cc)
set(page_dist ${PROJECT_SOURCE_DIR}/web/dist)
file(GLOB_RECURSE page_files CONFIGURE_DEPENDS RELATIVE ${page_dist} ${page_dist}/*)

set(page_types
    html "text/html; charset=utf-8" js "text/javascript; charset=utf-8"
    css "text/css; charset=utf-8" svg "image/svg+xml" json "application/json"
    txt "text/plain; charset=utf-8" png "image/png" ico "image/x-icon"
    woff2 "font/woff2" webmanifest "application/manifest+json")

set(page_parts "")
set(page_rows "")
set(page_count 0)
foreach(file ${page_files})
  string(REGEX REPLACE ".*\\." "" extension ${file})
  list(FIND page_types ${extension} at)
  if(at EQUAL -1)
    message(FATAL_ERROR "web/dist/${file}: expected a file of a known type, found .${extension}")
  endif()
  math(EXPR at "${at} + 1")
  list(GET page_types ${at} type)
  set(packed ${PROJECT_BINARY_DIR}/page/${file}.gz)
  get_filename_component(folder ${packed} DIRECTORY)
  file(MAKE_DIRECTORY ${folder})
  execute_process(COMMAND gzip -9 -n -c ${page_dist}/${file} OUTPUT_FILE ${packed}
                  COMMAND_ERROR_IS_FATAL ANY)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${page_dist}/${file})
  set(path "/${file}")
  if(file STREQUAL "index.html")
    set(path "/")
  endif()
  set(row "")
  foreach(form ${page_dist}/${file} ${packed})
    set(name minke_page_${page_count})
    string(APPEND page_parts
           "__asm__(\".section .rodata\\n.global ${name}\\n${name}:\\n\"\n"
           "        \".incbin \\\"${form}\\\"\\n.global ${name}_end\\n\"\n"
           "        \"${name}_end:\\n.previous\\n\");\n"
           "extern \"C\" const char ${name}[], ${name}_end[];\n")
    string(APPEND row ",\n       {${name}, static_cast<size_t>(${name}_end - ${name})}")
    math(EXPR page_count "${page_count} + 1")
  endforeach()
  string(APPEND page_rows "      {\"${path}\", \"${type}\"${row}},\n")
endforeach()

file(CONFIGURE OUTPUT ${page_source} @ONLY CONTENT
"#include \"apps/page.h\"

@page_parts@
namespace minke {

std::vector<PageFile> built_page();
std::vector<PageFile> built_page() {
  return {
@page_rows@  };
}

}  // namespace minke
")
target_sources(minke_apps PRIVATE ${page_source})
# The compiler does not say that what it includes as bytes is an input.
list(TRANSFORM page_files REPLACE "(.+)" "${PROJECT_BINARY_DIR}/page/\\1.gz"
     OUTPUT_VARIABLE page_packed)
set_source_files_properties(${page_source} PROPERTIES OBJECT_DEPENDS "${page_packed}")
