/** What a project or a team may be called: checked while one types, as the catalog checks it. */

const SLUG = /^[a-z0-9][a-z0-9-]{0,62}[a-z0-9]$/;

/** "Wound Healing (2)" → "wound-healing-2"; "" where nothing is left. */
function suggestion(text: string): string {
  const plain = text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const made = plain.replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 64);
  return SLUG.test(made) ? made : "";
}

/** Return what is wrong with a name, or "". */
export function wrongName(name: string): string {
  if (SLUG.test(name)) return "";
  if (!name) return "Give it a name.";
  const instead = suggestion(name);
  return `2 to 64 lower-case letters, digits and dashes${instead ? `, such as ${instead}` : ""}.`;
}
