/** Inputs of made-up contacts for engines, and a model that has everything to keep about them. */

export const model = `model: lead
version: 1
dimensions: { engagement: { decay: { halfLife: 30d } }, fit: { max: 50 } }
total: engagement + fit
rules:
  - { id: clicked, dimension: engagement, when: email.clicked, points: 10, repeat: { within: 30d, multiplier: 0.5 } }
  - { id: paged, dimension: engagement, when: web.page_viewed, points: 3, scope: resource }
  - { id: boss, dimension: fit, points: { by: contact.title, keywords: { ceo: 25, manager: 10 } } }
  - { id: asleep, dimension: fit, inactive: 20d, points: -5 }
thresholds: [20, 40]
`;

export const day = 86_400_000;
/** Far enough back for timers to have something to do. */
export const began = Date.UTC(2026, 0, 5);

export interface Person {
  readonly id: string;
  readonly name: string;
  readonly mail: string;
}

export function person(number: number): Person {
  const id = `p-${String(number).padStart(4, "0")}`;
  return { id, name: `Person ${number}`, mail: `person${number}@example.test` };
}

export const profile = ({ id, name, mail }: Person, at = began): object => ({
  kind: "profile",
  contactId: id,
  at,
  fields: { name, mail, title: id.endsWith("7") ? "CEO" : "Manager" },
});

export const click = (contactId: string, id: string, at: number): object => ({
  id,
  contactId,
  type: "email.clicked",
  at,
});

/** What a contact does: a profile, and some clicks and views, the same ones for the same number. */
export function deedsOf(one: Person, number: number): object[] {
  const deeds: object[] = [profile(one)];
  for (let i = 0; i < 2 + (number % 5); i++) {
    deeds.push(click(one.id, `c${i}`, began + day * (1 + ((number * 7 + i * 11) % 60)) + number));
    const viewed = { type: "web.page_viewed", resource: `/of/${one.mail}`, attributes: { mail: one.mail } };
    deeds.push({ id: `v${i}`, contactId: one.id, at: began + day * (2 + i * 3) + number, ...viewed });
  }
  return deeds;
}

export function deeds(count: number): object[] {
  return Array.from({ length: count }, (_, i) => deedsOf(person(i), i)).flat();
}
