// Bundle the views: cid_widgets/js/<name>.ts -> cid_widgets/static/<name>.js and <name>.css.
//
// Every module is complete in itself: nothing is fetched from elsewhere when it runs. What is new
// comes in one step, and what is as it was stays untouched: who reads meanwhile, reads whole files.
import { mkdir, mkdtemp, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const source = fileURLToPath(new URL("../cid_widgets/js/", import.meta.url));
const built = fileURLToPath(new URL("../cid_widgets/static/", import.meta.url));

const views = (await readdir(source)).filter((name) => name.endsWith(".ts")).map((name) => source + name);

const { outputFiles, metafile } = await build({
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
  write: false,
  metafile: true,
});
outputFiles.push({ path: built + "LICENSES.txt", contents: Buffer.from(await licences(metafile)) });

await mkdir(built, { recursive: true });
const changed = [];
for (const { path, contents } of outputFiles) {
  const before = await readFile(path).catch(() => null);
  if (!before?.equals(contents)) changed.push({ name: basename(path), contents });
}
if (changed.length) {
  const fresh = await mkdtemp(`${built}.fresh-`); // in the same file system
  for (const { name, contents } of changed) {
    await writeFile(`${fresh}/${name}`, contents);
    await rename(`${fresh}/${name}`, built + name);
  }
  await rm(fresh, { recursive: true });
}

const made = new Set(outputFiles.map(({ path }) => basename(path)));
for (const name of await readdir(built)) {
  if (!made.has(name) && !name.startsWith(".fresh-")) await rm(built + name, { recursive: true, force: true });
}

// What others wrote and is in the bundles, with their terms: these ask to be handed on.
async function licences({ inputs }) {
  const folders = new Set();
  for (const input of Object.keys(inputs)) {
    const found = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input);
    if (found) folders.add(found[1]);
  }
  const parts = [];
  for (const folder of [...folders].sort()) {
    const { name, version, license } = JSON.parse(await readFile(`${folder}/package.json`, "utf8"));
    const file = (await readdir(folder)).find((name) => /^licen[cs]e/i.test(name));
    const text = file ? await readFile(`${folder}/${file}`, "utf8") : "";
    parts.push(`${name} ${version} (${license})\n\n${text.trim()}\n`);
  }
  return parts.join(`\n${"-".repeat(72)}\n\n`);
}
