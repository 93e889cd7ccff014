# Programs that measure parts, built with -DMINKE_BENCH=ON: kernels against Google Benchmark.
find_package(benchmark REQUIRED)

add_executable(kernels_bench ${PROJECT_SOURCE_DIR}/bench/kernels_bench.cc
                             ${PROJECT_SOURCE_DIR}/bench/latents_bench.cc
                             ${PROJECT_SOURCE_DIR}/bench/rows_bench.cc)
target_include_directories(kernels_bench PRIVATE ${PROJECT_SOURCE_DIR}/src)
target_link_libraries(kernels_bench PRIVATE minke_math_kernels benchmark::benchmark)

# The others take their times themselves.
add_executable(grammar_bench ${PROJECT_SOURCE_DIR}/bench/grammar_bench.cc)
target_link_libraries(grammar_bench PRIVATE minke_text_grammar CLI11::CLI11)

add_executable(rollouts_bench ${PROJECT_SOURCE_DIR}/bench/rollouts_bench.cc)
target_link_libraries(rollouts_bench PRIVATE minke_learn_rl CLI11::CLI11)
