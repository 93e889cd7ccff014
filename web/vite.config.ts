import { defineConfig } from "vitest/config";

// Names carry no hashes: the folder becomes part of the program, which serves each file with an
// entity tag, so that a browser asks again instead of mixing the files of two versions.
export default defineConfig({
  base: "./",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "dist",
    // `data:` addresses are not of the page's own origin.
    assetsInlineLimit: 0,
    modulePreload: false,
    reportCompressedSize: false,
    // The oldest that know `light-dark()`.
    target: ["chrome123", "firefox120", "safari17.5"],
    rolldownOptions: {
      output: {
        entryFileNames: "[name].js",
        chunkFileNames: (chunk) => `${chunk.name.replace(/\..*/u, "")}.js`,
        assetFileNames: "[name][extname]",
      },
    },
  },
  server: { proxy: { "/v1": process.env["MINKE_URL"] ?? "http://127.0.0.1:8080" } },
  test: {
    include: ["src/**/*.test.{ts,tsx}"],
    // Machines that build at the same time are slow.
    testTimeout: 60_000,
    expect: { poll: { timeout: 30_000 } },
  },
});
