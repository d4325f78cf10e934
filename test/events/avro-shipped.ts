/** The shipped schemas and their codecs, for tests. */
import { readFileSync } from "node:fs";
import { type InputCodec, inputCodec } from "../../src/events/avro.js";
import type { Input } from "../../src/events/types.js";

export interface Schema {
  readonly type: string;
  readonly name: string;
  readonly fields: readonly { readonly name: string; readonly type: unknown; readonly [key: string]: unknown }[];
  readonly [key: string]: unknown;
}

export function shipped(topic: string): Schema {
  return JSON.parse(readFileSync(new URL(`../../schemas/${topic}.avsc`, import.meta.url), "utf8")) as Schema;
}

export const email = shipped("interactions.email");
export const codecs: Readonly<Record<Input["kind"], InputCodec>> = {
  interaction: inputCodec(email),
  profile: inputCodec(shipped("contacts")),
  adjustment: inputCodec(shipped("adjustments")),
};

/** The schema with one field replaced; undefined leaves it out. */
export function withField(schema: Schema, name: string, over: object | undefined): Schema {
  const fields = schema.fields.flatMap((field) =>
    field.name !== name ? [field] : over === undefined ? [] : [{ ...field, ...over }],
  );
  return { ...schema, fields };
}
