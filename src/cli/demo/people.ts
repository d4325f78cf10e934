/** Who is in the demo's address book: invented people at invented companies, under the reserved domain `.example`. */
import type { JsonObject } from "../../events/types.js";
import type { Random } from "./random.js";

export interface Company {
  readonly share: number;
  readonly name: string;
  readonly domain: string;
  readonly industry: string;
  readonly employees: number;
  /** US dollars a year. */
  readonly revenue: number;
  readonly country: string;
  readonly city: string;
  /** Hours from UTC, without daylight saving. */
  readonly zone: number;
  readonly technologies: readonly string[];
  /** A mail gateway clicks every link before the person sees the mail. */
  readonly scanner: boolean;
}

export interface Person {
  readonly contactId: string;
  readonly name: string;
  readonly company: Company;
  /** Index in `ladder`: the higher, the more senior. */
  readonly rank: number;
  readonly department: string;
  /** Reads mail through a privacy proxy that opens everything at once. */
  readonly proxied: boolean;
}

const firstNames =
  "Ana Ben Carla David Elena Farid Grace Hugo Ines Jonas Kira Liam Maria Noah Olga Pedro Quinn Rosa Sofia Tom Uma Victor Wendy Yara Zoe Amir Bella Chen Daria Erik Fatima Georg Hana Ivan Julia Karim Lena Marco Nadia Oscar Priya Ravi Sara Tariq Ulla Vera Will Xenia Yusuf Zara".split(
    " ",
  );

const lastNames =
  "Silva Meyer Rossi Novak Kim Garcia Dubois Schmidt Jansen Okafor Patel Nguyen Kowalski Andersen Costa Brown Haddad Ivanova Tanaka Moreau Keller Santos Lindgren Murphy Petrov Fischer Romano Sato Walker Bauer Lopez Wagner Hughes Marin Ortiz Berg Larsen Fontaine Adams Vogel Cohen Diaz Ferrari Grant Horvat Ibrahim Jensen Klein Leroy Mancini".split(
    " ",
  );

function company(
  share: number,
  name: string,
  industry: string,
  employees: number,
  revenueMillions: number,
  place: readonly [country: string, city: string, zone: number],
  technologies: readonly string[],
  scanner = false,
): Company {
  const domain = `${name.toLowerCase().replace(/[^a-z]/g, "")}.example`;
  const [country, city, zone] = place;
  const revenue = revenueMillions * 1_000_000;
  return { share, name, domain, industry, employees, revenue, country, city, zone, technologies, scanner };
}

/** Shares are how many of the contacts work there: mostly small and middling companies that fit only in part. */
export const companies: readonly Company[] = [
  company(4, "Northwind", "retail", 420, 60, ["US", "Seattle", -8], ["shopify", "klaviyo"]),
  company(3, "Contoso", "manufacturing", 2400, 510, ["US", "Chicago", -6], ["dynamics", "sap"]),
  company(3, "Fabrikam", "manufacturing", 780, 140, ["DE", "Stuttgart", 1], ["sap", "salesforce"]),
  company(3, "Initech", "software", 310, 45, ["US", "Austin", -6], ["salesforce", "slack"]),
  company(2, "Globex", "finance", 5200, 1900, ["GB", "London", 0], ["salesforce", "snowflake"], true),
  company(10, "Lumen Bakery", "food", 38, 4, ["PT", "Porto", 0], ["mailchimp"]),
  company(12, "Atelier Sol", "design", 9, 0.7, ["FR", "Lyon", 1], ["wordpress"]),
  company(10, "Casa Verde", "hospitality", 64, 7, ["BR", "Curitiba", -3], ["wordpress"]),
  company(3, "Meridian Health", "healthcare", 1600, 230, ["CA", "Toronto", -5], ["hubspot"], true),
  company(5, "Ostrava Steel", "manufacturing", 3100, 640, ["CZ", "Ostrava", 1], ["sap"]),
  company(4, "Pixel and Pine", "software", 27, 3, ["NL", "Utrecht", 1], ["hubspot", "slack"]),
  company(2, "Quantrail", "software", 145, 18, ["US", "Denver", -7], ["hubspot", "segment"]),
  company(9, "Riverside College", "education", 900, 80, ["US", "Portland", -8], ["moodle"]),
  company(6, "Stadtwerke Auental", "utilities", 510, 120, ["DE", "Leipzig", 1], ["sap"], true),
  company(4, "Tideline Shipping", "logistics", 1250, 310, ["DK", "Aarhus", 1], ["oracle"]),
  company(9, "Umbra Studios", "media", 75, 9, ["ES", "Valencia", 1], ["mailchimp"]),
  company(2, "Vantage Capital", "finance", 220, 95, ["US", "Boston", -5], ["salesforce"], true),
  company(7, "Willow Clinics", "healthcare", 130, 15, ["GB", "Leeds", 0], ["wordpress"]),
  company(4, "Yellowfin Market", "retail", 60, 11, ["AU", "Perth", 8], ["shopify"]),
  company(10, "Zephyr Tools", "manufacturing", 46, 6, ["IT", "Bergamo", 1], ["wordpress"]),
];

/** From the first job upwards. */
const ladder = [
  { share: 6, title: "Student trainee" },
  { share: 44, title: "Specialist" },
  { share: 18, title: "Analyst" },
  { share: 16, title: "Manager" },
  { share: 6, title: "Head" },
  { share: 5, title: "Director" },
  { share: 3, title: "Vice President" },
  { share: 2, title: "Chief Officer" },
] as const;

const departments = [
  { share: 5, name: "Marketing" },
  { share: 4, name: "Sales" },
  { share: 3, name: "Operations" },
  { share: 2, name: "IT" },
  { share: 2, name: "Finance" },
  { share: 1, name: "People" },
] as const;

/** Draws a person whose contact id is not in `taken`, and adds it. */
export function drawPerson(random: Random, taken: Set<string>): Person {
  const first = random.pick(firstNames);
  const last = random.pick(lastNames);
  const works = random.weighted(companies);
  const address = `${first}.${last}`.toLowerCase();
  let contactId = `${address}@${works.domain}`;
  for (let namesake = 2; taken.has(contactId); namesake += 1) {
    contactId = `${address}${namesake}@${works.domain}`;
  }
  taken.add(contactId);
  return {
    contactId,
    name: `${first} ${last}`,
    company: works,
    rank: ladder.indexOf(random.weighted(ladder)),
    department: random.weighted(departments).name,
    proxied: random.chance(0.22),
  };
}

export function titleOf({ rank, department }: Person): string {
  const { title } = ladder[Math.min(rank, ladder.length - 1)] as (typeof ladder)[number];
  switch (title) {
    case "Head":
    case "Vice President":
      return `${title} of ${department}`;
    case "Chief Officer":
      return `Chief ${department} Officer`;
    default:
      return title === "Student trainee" ? title : `${department} ${title}`;
  }
}

/** What a form alone tells: the address. */
export function sparseFields(person: Person): JsonObject {
  return { name: person.name, email: person.contactId };
}

/** The whole profile, with the company nested in it. */
export function fullFields(person: Person, more: JsonObject = {}): JsonObject {
  const { name, industry, employees, revenue, country, city, domain, technologies } = person.company;
  return {
    name: person.name,
    email: person.contactId,
    title: titleOf(person),
    country,
    city,
    technologies,
    account: { id: domain, name, industry, employees, revenue },
    ...more,
  };
}
