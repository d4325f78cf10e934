/** What conditions and points are judged by: an interaction with these attributes. */
import type { Interaction, JsonObject } from "../../src/events/types.js";
import type { FieldPath } from "../../src/model/types.js";

export function interaction(attributes: JsonObject, parts: Partial<Interaction> = {}): Interaction {
  return {
    kind: "interaction",
    id: "i1",
    tenantId: "acme",
    contactId: "ann",
    at: 0,
    type: "web.page_viewed",
    attributes,
    ...parts,
  };
}

/** An object as JSON makes it: a field named `__proto__` is a field of its own. */
export function json(text: string): JsonObject {
  return JSON.parse(text) as JsonObject;
}

export function path(name: string): FieldPath {
  return name.split(".") as unknown as FieldPath;
}
