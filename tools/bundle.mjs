// Bundle the views: cid_widgets/js/<name>.ts -> cid_widgets/static/<name>.js and <name>.css.
//
// Every module is complete in itself: nothing is fetched from elsewhere when it runs.
import { readdir, rm } from "node:fs/promises";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const source = fileURLToPath(new URL("../cid_widgets/js/", import.meta.url));
const built = fileURLToPath(new URL("../cid_widgets/static/", import.meta.url));

const views = (await readdir(source)).filter((name) => name.endsWith(".ts")).map((name) => source + name);

const { metafile } = await build({
  entryPoints: views,
  outdir: built,
  bundle: true,
  format: "esm",
  platform: "browser",
  target: "es2022",
  minify: true,
  sourcemap: false,
  legalComments: "inline",
  logLevel: "info",
  metafile: true,
});

const made = new Set(Object.keys(metafile.outputs).map((path) => basename(path)));
for (const name of await readdir(built)) {
  if (!made.has(name)) await rm(built + name, { recursive: true });
}
