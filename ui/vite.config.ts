import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const page = fileURLToPath(new URL("../src/pilothouse/server/page", import.meta.url));

const HOME =
  /node_modules\/(react|react-dom|scheduler|react-router|@tanstack)\/|src\/(app|api|address|format|palette|releases|verdict)\/|src\/words\/en|src\/controls\/(Answer|Button|Choice|Copyable|Endpoints|Guard|Panel|Problem|Progress|SearchField)/;

export default defineConfig({
  plugins: [react()],
  build: {
    outDir: process.env.PILOTHOUSE_PAGE ?? page,
    emptyOutDir: true,
    target: "es2023",
    // A picture or font inlined as a data: URL would need an exception in a content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // What the home page needs is one file, and so is its style: a browser fetches no more than six at a time.
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: "home", test: HOME }] } } },
  },
  server: {
    host: "127.0.0.1",
    proxy: { "/api": process.env.PILOTHOUSE ?? "http://127.0.0.1:4000" },
  },
});
