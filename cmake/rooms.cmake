# quorate_room(NAME DIRECTORY ROOMS...): one static library a room, and beside it one test program
# of all *_test.cc files in its folder. Sources are globbed: adding a file needs no edit here.
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(spdlog REQUIRED)
if(QUORATE_TESTS)
  find_package(GTest REQUIRED)
endif()

add_library(quorate_options INTERFACE)
target_include_directories(quorate_options INTERFACE ${CMAKE_SOURCE_DIR}/src ${CMAKE_BINARY_DIR}/generated)
target_compile_options(quorate_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Werror)
if(QUORATE_SANITIZE)
  target_compile_options(quorate_options INTERFACE -fsanitize=${QUORATE_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=all)
  target_link_options(quorate_options INTERFACE -fsanitize=${QUORATE_SANITIZE})
endif()
if(QUORATE_PLANTED)
  target_compile_definitions(quorate_options INTERFACE QUORATE_PLANTED)
endif()
if(QUORATE_FUZZ)
  target_compile_options(quorate_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

# Outside libraries, each confined to the rooms that are made for it.
set(QUORATE_EXTERNAL_auth OpenSSL::Crypto)
set(QUORATE_EXTERNAL_base fmt::fmt)
set(QUORATE_EXTERNAL_tree deflate)
set(QUORATE_EXTERNAL_storage deflate ZLIB::ZLIB snappy)
set(QUORATE_EXTERNAL_io Threads::Threads)
set(QUORATE_EXTERNAL_server Threads::Threads spdlog::spdlog)
set(QUORATE_EXTERNAL_tools Threads::Threads)

function(quorate_library TARGET NAME DIRECTORY)
  file(GLOB sources CONFIGURE_DEPENDS ${DIRECTORY}/*.cc)
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  if(sources)
    add_library(${TARGET} STATIC ${sources})
    set(scope PUBLIC)
  else()
    add_library(${TARGET} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_link_libraries(${TARGET} ${scope} quorate_options ${QUORATE_EXTERNAL_${NAME}})
endfunction()

function(quorate_room NAME DIRECTORY)
  quorate_library(quorate_${NAME} ${NAME} ${DIRECTORY})
  get_target_property(type quorate_${NAME} TYPE)
  if(type STREQUAL INTERFACE_LIBRARY)
    set(scope INTERFACE)
  else()
    set(scope PUBLIC)
  endif()
  foreach(room ${ARGN})
    target_link_libraries(quorate_${NAME} ${scope} quorate_${room})
  endforeach()
  file(GLOB tests CONFIGURE_DEPENDS ${DIRECTORY}/*_test.cc)
  if(QUORATE_TESTS AND tests)
    quorate_test(${NAME} quorate_${NAME} ${tests})
  endif()
endfunction()

# What nearly every test and most of the simulation include. The server's own sources do without, so that a missing
# #include is noticed.
set(QUORATE_COMMON_HEADERS <fmt/format.h> <algorithm> <cstdint> <functional> <map> <memory> <optional> <set> <string>
  <string_view> <utility> <vector>)

# quorate_precompile(TARGET PRIVATE HEADERS... | REUSE_FROM OTHER): headers are parsed once, and ccache can follow.
function(quorate_precompile TARGET)
  target_precompile_headers(${TARGET} ${ARGN})
  target_compile_options(${TARGET} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>
    $<$<CXX_COMPILER_ID:Clang>:SHELL:-Xclang -fno-pch-timestamp>)
endfunction()

# quorate_test(NAME LIBRARY SOURCES...): the test program of a room. All share the headers of the first.
function(quorate_test NAME LIBRARY)
  add_executable(${NAME}_test ${ARGN})
  target_link_libraries(${NAME}_test PRIVATE ${LIBRARY} GTest::gtest_main)
  # The code under test is optimised; the tests themselves need not be, and build in half the time.
  target_compile_options(${NAME}_test PRIVATE -O0)
  target_compile_definitions(${NAME}_test PRIVATE QUORATE_GOLDEN="${CMAKE_SOURCE_DIR}/tests/golden")
  if(NAME STREQUAL base)
    quorate_precompile(base_test PRIVATE ${QUORATE_COMMON_HEADERS} <gtest/gtest.h>)
  else()
    quorate_precompile(${NAME}_test REUSE_FROM base_test)
  endif()
  add_test(NAME ${NAME} COMMAND ${NAME}_test)
endfunction()
