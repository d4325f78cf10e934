/** The application that is scored under faults: its topics, its models. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkModel } from "../../src/model/check.js";
import type { Model } from "../../src/model/types.js";

export const APP = "chaos";
export const PARTITIONS = 6;
export const OUTPUTS = ["score-changed", "threshold-crossed"] as const;
export const DEAD_LETTERS = "dead-letters";
export const REKEYED = `${APP}.rekeyed`;

const kinds = {
  "interactions.email": "interaction",
  "interactions.web": "interaction",
  contacts: "profile",
  adjustments: "adjustment",
} as const;

export type InputTopic = keyof typeof kinds;
export const inputTopics = Object.keys(kinds) as InputTopic[];

/** Steps of decay, windows that end and silence: something falls due all the time, where inputs are dated for it. */
const texts = {
  "lead.yaml": `
model: lead
version: 1
score: { min: 0, max: 100 }
dimensions:
  engagement: { min: 0, max: 70, decay: { percent: 10, every: 1d } }
  fit: { min: 0, max: 40 }
rules:
  - { id: viewed, dimension: engagement, when: web.page_viewed, points: 3, cap: { points: 12, per: day } }
  - { id: clicked, dimension: engagement, when: email.clicked, points: 6, repeat: { within: 2d, multiplier: 1.5 } }
  - { id: left, dimension: engagement, when: email.unsubscribed, set: 0 }
  - { id: silent, dimension: engagement, inactive: 3d, points: -10 }
  - { id: size, dimension: fit, points: { by: contact.size, bands: [{ from: 10, points: 10 }, { from: 100, points: 25 }] } }
thresholds: [{ at: 20 }, { at: 50 }]
triggers: [{ id: hot, reaches: 60 }, { id: cooled, dropsBelow: 15 }, { id: surge, risesBy: 20, within: 24h }]
grades: [{ id: cold, from: 0 }, { id: warm, from: 30 }, { id: hot, from: 60 }]
salesReady: 60
routes: { hot: sales }
`,
  "buyer.yaml": `
model: buyer
version: 1
score: { min: -20, max: 60 }
dimensions: { intent: { min: -20, max: 60 } }
rules:
  - { id: recent, when: web.page_viewed, points: 2, within: 1d }
  - { id: opened, when: email.opened, points: 1, within: 7d }
  - { id: pricing, when: web.page_viewed, where: [{ field: resource, is: /pricing }], points: 10, within: 2d }
thresholds: [{ at: 10 }, { at: 25 }]
tenants: [default]
`,
};

/** Writes the files that `run` and `topics apply` take. */
export function writeApplication(directory: string): { topics: string; models: string } {
  const [topics, models] = ["topics", "models"].map((name) => join(directory, name)) as [string, string];
  mkdirSync(topics, { recursive: true });
  mkdirSync(models, { recursive: true });
  const config = "{ retention.ms: -1, retention.bytes: -1, message.timestamp.type: LogAppendTime }";
  for (const [name, kind] of Object.entries(kinds)) {
    const text = `name: ${name}\nrole: input\nkind: ${kind}\nkey: contactId\npartitions: ${PARTITIONS}\nconfig: ${config}\n`;
    writeFileSync(join(topics, `${name}.yaml`), text);
  }
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(models, name), text);
  return { topics, models };
}

export function applicationModels(): Model[] {
  return Object.entries(texts).map(([file, text]) => {
    const checked = checkModel(text, file);
    if (!checked.ok) throw new Error(checked.problems.map(({ message }) => message).join("\n"));
    return checked.model;
  });
}
