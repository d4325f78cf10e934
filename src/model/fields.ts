/**
 * Reads a field of a match: `resource`, `attributes.kind`, `contact.account.employees`. What is missing, null, or
 * behind something that is no object is `undefined`: every operator takes that as false.
 */
import type { Interaction, Json, JsonObject } from "../events/types.js";
import type { FieldPath } from "./types.js";

/** The interaction is null for rules that are judged without one (profile and inactive rules). */
export type Reader = (interaction: Interaction | null, profile: JsonObject | null) => Json | undefined;

export function fieldReader(path: FieldPath): Reader {
  const [head, ...names] = path;
  switch (head) {
    case "contact":
      return (_, profile) => walk(profile, names);
    case "attributes":
      return (interaction) => (interaction === null ? undefined : walk(interaction.attributes, names));
    case "resource":
      return (interaction) => interaction?.resource;
    case "type":
      return (interaction) => interaction?.type;
    case "automated":
      return (interaction) => (interaction === null ? undefined : (interaction.automated ?? "no"));
    case "id":
      return (interaction) => interaction?.id;
    case "tenantId":
      return (interaction) => interaction?.tenantId;
    case "contactId":
      return (interaction) => interaction?.contactId;
    default:
      return () => undefined;
  }
}

/** Own properties only: `contact.constructor` is a missing field, not a function of the language underneath. */
function walk(from: JsonObject | null, names: readonly string[]): Json | undefined {
  let value: Json | undefined = from;
  for (const name of names) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    const object = value as JsonObject;
    if (!Object.hasOwn(object, name)) return undefined;
    value = object[name];
  }
  return value === null ? undefined : value;
}
