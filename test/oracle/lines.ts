/**
 * Lines of inputs as the contract has them, read without the code under test: what an instant is, and what of a line
 * is no input. Limits of sizes are the engine's own, and are not here.
 */
import type { EpochMs, Input, Json, JsonObject } from "../../src/events/types.js";
import { RETRACTION } from "../../src/events/types.js";

export type Read = { readonly input: Input } | { readonly refused: "bad-instant" | "implausible-instant" | "invalid" };

/** A number below this is probably seconds. */
const MS_MIN = 1e11;
const AT_END = Date.UTC(2100, 0, 1);
const INSTANT =
  /^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d+))?)?(?: ?[Zz]| UTC| ?([+-])(\d{2}):?(\d{2})?)$/;

/** Whole milliseconds, or undefined for what is no instant. */
export function instantOf(value: Json | undefined): EpochMs | undefined {
  if (typeof value === "number") return Number.isInteger(value) && Math.abs(value) <= 8.64e15 ? value : undefined;
  const parts = typeof value === "string" ? INSTANT.exec(value) : null;
  if (parts === null) return undefined;
  const [year, month, day, hour, minute, second] = parts.slice(1, 7).map((part) => Number(part ?? 0));
  const local = new Date(0);
  local.setUTCFullYear(year!, month! - 1, day!);
  local.setUTCHours(hour!, minute!, second!, Number((parts[7] ?? "").padEnd(3, "0").slice(0, 3)));
  const written = [year, month, day, hour, minute, second];
  const is = [
    local.getUTCFullYear(),
    local.getUTCMonth() + 1,
    local.getUTCDate(),
    local.getUTCHours(),
    local.getUTCMinutes(),
    local.getUTCSeconds(),
  ];
  const [ahead, aside] = [Number(parts[9] ?? 0), Number(parts[10] ?? 0)];
  if (written.some((part, i) => part !== is[i]) || ahead > 23 || aside > 59) return undefined;
  return local.getTime() - (parts[8] === "-" ? -1 : 1) * (ahead * 60 + aside) * 60_000;
}

/** Seconds where milliseconds are meant, or a year that nobody means. */
function implausible(value: Json | undefined, at: EpochMs): boolean {
  return (typeof value === "number" && Math.abs(value) < MS_MIN) || at >= AT_END;
}

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Without what is null, at any depth of objects. */
function withoutNulls(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, each]) => each !== null)
      .map(([name, each]) => [name, withoutNulls(each)]),
  );
}

/** One line that has a contact, as an input. */
export function readLine(text: string): Read {
  const line = JSON.parse(text) as Record<string, Json>;
  const at = instantOf(line["at"]);
  if (at === undefined) return { refused: "bad-instant" };
  if (implausible(line["at"], at)) return { refused: "implausible-instant" };
  const base = {
    id: String(line["id"] ?? ""),
    tenantId: String(line["tenantId"] ?? "default"),
    contactId: String(line["contactId"]),
    at,
  };
  switch (line["kind"] ?? "interaction") {
    case "profile": {
      const fields = line["fields"];
      if (fields === null) return { input: { kind: "profile", ...base, fields } };
      return isObject(fields)
        ? { input: { kind: "profile", ...base, fields: withoutNulls(fields) as JsonObject } }
        : { refused: "invalid" };
    }
    case "adjustment": {
      const { kind: _kind, id: _id, tenantId: _tenantId, contactId: _contactId, at: _at, ...rest } = line;
      const own = withoutNulls(rest) as JsonObject;
      if ("add" in own === "set" in own) return { refused: "invalid" };
      return { input: { kind: "adjustment", ...base, ...own } as Input };
    }
    case "interaction":
      return interactionOf(line, base);
    default:
      return { refused: "invalid" };
  }
}

function interactionOf(line: Record<string, Json>, base: Pick<Input, "id" | "tenantId" | "contactId" | "at">): Read {
  const { type, resource, automated } = line;
  if (typeof type !== "string") return { refused: "invalid" };
  const attributes = withoutNulls(line["attributes"] ?? {}) as Record<string, Json>;
  if (type === RETRACTION) {
    const target = instantOf(attributes["at"]);
    if (target === undefined) return { refused: "bad-instant" };
    if (implausible(attributes["at"], target)) return { refused: "implausible-instant" };
    attributes["at"] = target;
  }
  const input: Input = {
    kind: "interaction",
    ...base,
    type,
    ...(typeof resource === "string" ? { resource } : {}),
    ...(automated === "yes" || automated === "maybe" ? { automated } : {}),
    attributes,
  };
  return { input };
}
