/** Which files of a folder belong together, as far as names tell. The service looks into them and decides. */

const PICTURE = /\.(stk|tiff?)$/i;

interface Rule {
  main: RegExp;
  belongs: (stem: string, name: string, folder: boolean) => boolean;
}

const RULES: Rule[] = [
  { main: /\.nd$/i, belongs: (stem, name, folder) => !folder && PICTURE.test(name) && begins(name, stem) },
  { main: /\.vsi$/i, belongs: (stem, name, folder) => folder && same(name, `_${stem}_`) },
  { main: /\.oif$/i, belongs: (stem, name, folder) => folder && same(name, `${stem}.oif.files`) },
  { main: /\.lif$/i, belongs: (stem, name) => same(name, `${stem}.lifext`) },
  { main: /\.companion\.ome$/i, belongs: (stem, name) => /\.ome\.tiff?$/i.test(name) && begins(name, stem) },
  {
    main: /\.htd$/i,
    belongs: (stem, name, folder) => (folder ? /^timepoint_\d+$/i.test(name) : PICTURE.test(name) && begins(name, stem)),
  },
];

const begins = (name: string, stem: string) => name.toLowerCase().startsWith(stem.toLowerCase());
const same = (name: string, other: string) => name.toLowerCase() === other.toLowerCase();

/** Main file → the files and folders beside it that belong to it; none belongs to two. */
export function families(files: string[], folders: string[]): Map<string, { files: string[]; folders: string[] }> {
  const found = new Map<string, { files: string[]; folders: string[] }>();
  const free = { files: new Set(files), folders: new Set(folders) };
  for (const { main, belongs } of RULES) {
    for (const name of files) {
      if (!main.test(name) || !free.files.has(name)) continue;
      const stem = name.replace(main, "");
      const family = {
        files: [...free.files].filter((one) => one !== name && belongs(stem, one, false)),
        folders: [...free.folders].filter((one) => belongs(stem, one, true)),
      };
      if (family.files.length + family.folders.length === 0) continue;
      for (const one of family.files) free.files.delete(one);
      for (const one of family.folders) free.folders.delete(one);
      found.set(name, family);
    }
  }
  return found;
}
