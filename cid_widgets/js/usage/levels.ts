/** The pages of the drill-down: everything, a team, a project, a dataset. */

import { h } from "../lib/dom";
import { bytes, plural } from "../lib/words";
import { bar, fact, room } from "./bars";
import { Plot } from "./plot";
import type { Dataset, Held, OfAll, OfProject, OfTeam, Person, Project, Room, Team } from "./shapes";
import { type Column, type Order, table } from "./table";
import { end, growth, money, monthly, signed } from "./words";

/** Where one may go from a page. */
export interface Ways {
  team: (name: string) => void;
  project: (name: string) => void;
  dataset: (uid: string) => void;
}

/** A page, and what has to end when it goes. */
export interface Page {
  parts: HTMLElement[];
  close?: () => void;
}

// how each table was sorted last, so that it stays so when it is drawn again
export type Orders = Record<"teams" | "projects" | "datasets" | "people", Order>;

export function orders(): Orders {
  const byUse = () => ({ column: 1, down: true });
  return { teams: byUse(), projects: byUse(), datasets: byUse(), people: byUse() };
}

const SAVES_HINT = "What all that is online here would cost less in the archive, each month, at today's prices.";

function size<R>(title: string, of: (row: R) => number, hint?: string): Column<R> {
  return { title, ...(hint && { hint }), number: true, cell: (row) => (of(row) ? bytes(of(row)) : "–"), value: of };
}

function filled<R extends Room>(): Column<R> {
  const cell = (row: R) =>
    h("span", { class: "cid-cell-bar" }, bar(row), h("span", {}, `${bytes(row.used)} of ${bytes(row.limit)}`));
  return { title: "Used", number: true, bar: true, cell, value: (row) => row.used };
}

function rooms<R extends Room>(): Column<R>[] {
  return [
    size("Trash", (row) => row.trashed, "Part of what is used, until it is purged."),
    size("Archive", (row) => row.archived, "Not part of what is used."),
    size("Reserved", (row) => row.reserved, "Promised to imports and runs on their way."),
    { title: "Growth", hint: "In 30 days, from the last month.", number: true, cell: growth, value: (row) => row.growth },
    {
      title: "Full in",
      hint: "What is free, divided by the growth.",
      number: true,
      cell: (row) => h("span", { title: end(row).why }, end(row).text),
      value: (row) => (row.state === "full" ? -1 : row.days_to_full),
    },
  ];
}

/** Bytes on the disk that are not counted, or counted and not there; a column only if some differ. */
function drifts<R extends Room>(rows: R[], staff: boolean): Column<R>[] {
  if (!staff && !rows.some((row) => row.disk_drift)) return [];
  const told = ({ disk_drift }: R) =>
    disk_drift === null ? "–" : h("span", { class: disk_drift ? "cid-warn" : "" }, disk_drift ? signed(disk_drift) : "0 B");
  const hint = "What lies on the disk, less what is counted, as the last night found it.";
  return [{ title: "Disk", hint, number: true, cell: told, value: (row) => row.disk_drift }];
}

function saving<R extends { saves: Project["saves"] }>(): Column<R> {
  const value = (row: R) => (row.saves ? Number(row.saves.month) : null);
  return { title: "Archive saves a month", hint: SAVES_HINT, number: true, cell: (row) => monthly(row.saves), value };
}

/** The share of the whole that a part is, as a bar. */
function share<R extends Held>(whole: number): Column<R> {
  const cell = (row: R) => {
    const piece = h("span", { "data-part": "online" });
    piece.style.width = `${(100 * row.used) / Math.max(whole, row.used, 1)}%`;
    const track = h("span", { class: "cid-fill", "aria-hidden": "true" }, h("span", {}, piece));
    return h("span", { class: "cid-cell-bar" }, track, h("span", {}, bytes(row.used)));
  };
  return { title: "Used", number: true, bar: true, cell, value: (row) => row.used };
}

function projects(rows: Project[], label: string, ways: Ways, order: Order, staff = false): HTMLElement {
  const name: Column<Project> = { title: "Project", cell: (row) => row.title, value: (row) => row.title };
  const linked = size<Project>("Linked", (row) => row.linked, "Shown here, and charged elsewhere.");
  const columns = [name, filled<Project>(), ...rooms<Project>(), linked, saving<Project>(), ...drifts(rows, staff)];
  const options = { label, order, open: (row: Project) => ways.project(row.name), hint: (row: Project) => row.name };
  return table(columns, rows, options);
}

/** All teams and my projects in others: for staff the facility at a glance. */
export function overview(of: OfAll, ways: Ways, kept: Orders): Page {
  const staff = of.storage !== null;
  const name: Column<Team> = { title: "Team", cell: (row) => row.title, value: (row) => row.title };
  const count: Column<Team> = { title: "Projects", number: true, cell: (row) => String(row.count), value: (row) => row.count };
  const columns = [name, filled<Team>(), ...rooms<Team>(), count, ...drifts(of.teams, staff)];
  const options = { label: "Teams", order: kept.teams, open: (row: Team) => ways.team(row.name), hint: (row: Team) => row.name };
  const parts: HTMLElement[] = [];
  if (of.storage) parts.push(disk(of.storage));
  if (of.teams.length) {
    const sum = (word: "used" | "limit") => bytes(of.teams.reduce((total, row) => total + row[word], 0));
    const title = `${plural(of.teams.length, "team")}: ${sum("used")} of ${sum("limit")} used`;
    parts.push(h("section", {}, h("h4", {}, title), table(columns, of.teams, options)));
  }
  if (of.projects.length) {
    const title = of.teams.length ? "My projects in other teams" : "My projects";
    parts.push(h("section", {}, h("h4", {}, title), projects(of.projects, title, ways, kept.projects)));
  }
  if (!of.teams.length && !of.projects.length) {
    parts.push(h("p", { class: "cid-empty" }, "You have no project yet: ask your team's leader, or ask for one."));
  }
  return { parts };
}

/** What the last night's comparison found, for staff. */
function disk({ at, records, drift, strangers }: NonNullable<OfAll["storage"]>): HTMLElement {
  const well = !drift && !strangers;
  const when = new Date(at).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });
  if (well) {
    const words = `The disk has what is counted: ${plural(records, "record")}, looked at ${when}.`;
    return h("p", { class: "cid-note", role: "note" }, words);
  }
  const words = `The disk differs: ${signed(drift)} in the projects' records, ${bytes(strangers)} of no record (${when}). `;
  return h("p", { class: "cid-note cid-warn", role: "note" }, words, h("code", {}, "jupyter cid verify"), " names each.");
}

/** A team: its sums and its projects. */
export function team(of: OfTeam, ways: Ways, kept: Orders): Page {
  const list = projects(of.projects, "Projects", ways, kept.projects);
  const none = h("p", { class: "cid-empty" }, "This team has no project yet.");
  return { parts: [room(of), h("section", {}, h("h4", {}, plural(of.projects.length, "project")), of.projects.length ? list : none)] };
}

/** What the archive would save, in a sentence. */
function advice(saves: Project["saves"], what: string): HTMLElement {
  if (!saves) return h("p", { class: "cid-note" }, "No prices are published yet, so nobody knows what the archive would save.");
  const amounts = `${money(saves.month, saves.currency)} a month, ${money(saves.year, saves.currency)} a year`;
  if (!saves.nbytes) return h("p", { class: "cid-note" }, `Nothing of ${what} is online.`);
  if (Number(saves.year) <= 0) return h("p", { class: "cid-note" }, "The archive would not be cheaper at today's prices.");
  return h(
    "p",
    { class: "cid-note" },
    `Archiving all ${bytes(saves.nbytes)} of ${what} that are online would save `,
    h("strong", {}, amounts),
    " (without VAT).",
  );
}

function people(rows: Person[], whole: number, order: Order): HTMLElement {
  const name: Column<Person> = { title: "Person", cell: (row) => row.person, value: (row) => row.person };
  const columns = [name, share<Person>(whole), size<Person>("Trash", (row) => row.trashed), size<Person>("Archive", (row) => row.archived)];
  return h("section", {}, h("h4", {}, "By person"), rows.length ? table(columns, rows, { label: "People", order }) : nothing());
}

function nothing(): HTMLElement {
  return h("p", { class: "cid-empty" }, "Nothing here yet.");
}

function datasets(of: OfProject, ways: Ways, order: Order): HTMLElement {
  const named = (row: Dataset) => row.path || "(the project itself)";
  const name: Column<Dataset> = { title: "Dataset", cell: named, value: (row) => row.path };
  const trash = size<Dataset>("Trash", (row) => row.trashed);
  const archive = size<Dataset>("Archive", (row) => row.archived);
  const columns = [name, share<Dataset>(of.used), trash, archive, saving<Dataset>()];
  const options = { label: "Datasets", order, open: (row: Dataset) => ways.dataset(row.uid), hint: () => "Who brought it" };
  const rest = of.used - of.datasets.reduce((sum, row) => sum + row.used, 0);
  return h(
    "section",
    {},
    h("h4", {}, "By dataset"),
    of.datasets.length ? table(columns, of.datasets, options) : nothing(),
    rest > 0 && h("p", { class: "cid-note" }, `Smaller datasets that are not listed hold ${bytes(rest)}.`),
  );
}

/** A project: its room, its days, and what takes the room. */
export function project(of: OfProject, ways: Ways, kept: Orders): Page {
  const parts = [room(of)];
  if (of.warning) parts.push(h("p", { class: "cid-note cid-warn", role: "note" }, `${of.warning[0]!.toUpperCase()}${of.warning.slice(1)}.`));
  if (of.drift || of.disk_drift) {
    const drift = of.drift ? signed(of.drift) : signed(of.disk_drift!);
    parts.push(h("p", { class: "cid-note cid-warn", role: "note" }, `What is counted and what is there differ by ${drift}: tell the facility's staff.`));
  }
  const plot = of.series.length ? new Plot(of.series, of) : null;
  const begins = "The plot begins with the first day that is over: days are charged an hour after midnight UTC.";
  parts.push(plot ? plot.el : h("p", { class: "cid-empty" }, begins));
  parts.push(advice(of.saves, "this project"));
  parts.push(h("div", { class: "cid-halves" }, datasets(of, ways, kept.datasets), people(of.people, of.used, kept.people)));
  return { parts, close: () => plot?.close() };
}

/** A dataset: what it holds itself, and whose it is. */
export function dataset(of: OfProject, kept: Orders): Page {
  const own = of.dataset;
  if (!own) return { parts: [people(of.people, of.used, kept.people)] };
  const facts = h(
    "dl",
    { class: "cid-facts" },
    fact("Online", bytes(own.online), "Counts against the limit of the project."),
    fact("In the trash", bytes(own.trashed), "Counts until it is purged."),
    fact("In the archive", bytes(own.archived), "Does not count against the limit."),
    fact("Of the project", `${of.used ? ((100 * own.used) / of.used).toFixed(1) : "0"} %`, "Its share of all that is used."),
  );
  const note = h("p", { class: "cid-note" }, "Datasets below it are counted for themselves.");
  return { parts: [facts, note, advice(own.saves, "this dataset"), people(of.people, own.used, kept.people)] };
}
