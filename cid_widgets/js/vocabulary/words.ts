/** Types, and numbers of records, as a person reads them. */

import { plural } from "../lib/words";
import type { Term } from "./shapes";

/** The types a term can be declared with; of an identifier, with its scheme. */
export const TYPES: [string, string][] = [
  ["text", "text"],
  ["number", "number"],
  ["date", "date"],
  ["choice", "one of a list"],
  ["ontology", "ontology term"],
  ["id:orcid", "ORCID"],
  ["id:rrid", "RRID"],
  ["id:doi", "DOI"],
  ["id:url", "web address"],
  ["id:own", "our own identifier"],
];
export const KINDS: Record<string, string> = {
  sample: "Sample",
  processing: "Processing",
  machine: "Filled by imports",
};

/** "number, µm", "text, several" */
export function typeWord({ type, scheme, unit, many }: Term): string {
  const wanted = type === "id" ? `id:${scheme}` : type;
  const word = TYPES.find(([name]) => name === wanted)?.[1] ?? type;
  return [word, unit, many && "several"].filter(Boolean).join(", ");
}

/** "3 records will change" */
export function willChange(count: number | null): string {
  if (count === null) return "Its records will change.";
  return count === 0 ? "No record has it." : `${plural(count, "record")} will change.`;
}

/** "Cell type" and "cell-type" are the same in this: letters and digits without case and accents. */
export function folded(text: string): string {
  return text.normalize("NFKD").replace(/[^\p{L}\p{N}]/gu, "").toLowerCase();
}

/** "PFA, methanol" → two values. A label with its concept, "Mus musculus <…>", may have a comma. */
export function listed(text: string, type: string): string[] {
  const parts = type === "ontology" ? text.split(/;|(?<=>)\s*,/) : text.split(",");
  return parts.map((one) => one.trim()).filter(Boolean);
}
