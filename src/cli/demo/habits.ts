/** How the people of the demo behave: a few types, each with its habits. */

export interface Habits {
  readonly id: PersonaId;
  /** Of all contacts, in percent. */
  readonly share: number;
  /** Chance that a mail is opened, and that an opened one is clicked. */
  readonly opens: number;
  readonly clicks: number;
  /** Sessions on the site a week that no mail led to. */
  readonly visitsPerWeek: number;
  /** Pages of a session, on average; at least one. */
  readonly pages: number;
  /** Chance that a session brings a download, a webinar or a form. */
  readonly content: number;
  /** Weeks after which interest is down to half. */
  readonly fadesWeeks: number;
}

export type PersonaId =
  | "dormant"
  | "window-shopper"
  | "nurtured"
  | "hot-buyer"
  | "customer"
  | "leaver"
  | "job-seeker"
  | "unreachable";

export const personas: readonly Habits[] = [
  // On the list for years; now and then an open.
  { id: "dormant", share: 47, opens: 0.05, clicks: 0.05, visitsPerWeek: 0.005, pages: 1, content: 0, fadesWeeks: 8 },
  // Looks around, gives nothing away.
  {
    id: "window-shopper",
    share: 18,
    opens: 0.13,
    clicks: 0.15,
    visitsPerWeek: 0.12,
    pages: 3,
    content: 0.02,
    fadesWeeks: 16,
  },
  // Reads, comes to webinars, and may buy next year.
  { id: "nurtured", share: 14, opens: 0.3, clicks: 0.3, visitsPerWeek: 0.18, pages: 3, content: 0.16, fadesWeeks: 40 },
  // A project with a date: two weeks of everything, then bought or gone.
  { id: "hot-buyer", share: 5, opens: 0.3, clicks: 0.3, visitsPerWeek: 0.1, pages: 4, content: 0.1, fadesWeeks: 40 },
  // Bought already: orders, the manual, an upgrade.
  { id: "customer", share: 6, opens: 0.25, clicks: 0.25, visitsPerWeek: 0.3, pages: 2, content: 0.04, fadesWeeks: 60 },
  // Interested at first, then unsubscribes or complains.
  { id: "leaver", share: 5, opens: 0.3, clicks: 0.2, visitsPerWeek: 0.1, pages: 2, content: 0.05, fadesWeeks: 8 },
  { id: "job-seeker", share: 2, opens: 0.1, clicks: 0.1, visitsPerWeek: 0.5, pages: 3, content: 0, fadesWeeks: 6 },
  // The address no longer exists.
  { id: "unreachable", share: 3, opens: 0, clicks: 0, visitsPerWeek: 0, pages: 1, content: 0, fadesWeeks: 8 },
];

export const pages = [
  { share: 20, path: "/" },
  { share: 14, path: "/product" },
  { share: 8, path: "/product/features" },
  { share: 8, path: "/customers" },
  { share: 8, path: "/docs/start" },
  { share: 10, path: "/blog/scoring-basics" },
  { share: 8, path: "/blog/email-deliverability" },
  { share: 6, path: "/blog/state-of-the-market" },
  { share: 5, path: "/about" },
  { share: 3, path: "/compare" },
  { share: 4, path: "/pricing" },
] as const;

export const buyingPages = [
  { share: 5, path: "/pricing" },
  { share: 3, path: "/compare" },
  { share: 2, path: "/demo" },
  { share: 2, path: "/product/features" },
  { share: 1, path: "/customers" },
] as const;

export const assets = [
  { share: 4, path: "/assets/whitepaper" },
  { share: 2, path: "/assets/buyers-guide" },
  { share: 2, path: "/assets/checklist" },
  { share: 1, path: "/assets/roi-calculator" },
] as const;

export const salesPeople = ["kim.reyes", "oluwaseun.b", "petra.v"] as const;

export const corrections = [
  { share: 3, add: 10, reason: "good talk at the trade fair" },
  { share: 2, add: 15, reason: "asked for an offer by phone" },
  { share: 2, add: -15, reason: "budget frozen until next year" },
  { share: 1, add: -20, reason: "wrong person, forwarded to procurement" },
] as const;
