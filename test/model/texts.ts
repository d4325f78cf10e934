/** Models that several tests read. */
/** Every feature of the language. */
export const everything = `model: lead
version: 3
name: Lead score
tenants: [acme]
target: contact
timeZone: Europe/Berlin
score: { min: -10, max: 100 }
dimensions:
  engagement: { min: 0, max: 50, decay: { percent: 5, every: 30d, floor: 0 } }
  fit: { min: -5, max: 50 }
  cycle: { decay: { cycle: 30d, step: 6h } }
  half: { min: 1, max: 2, decay: { halfLife: 14d, floor: 1.5 } }
total: engagement - (fit - -cycle * 0.5) / half
rules:
  - id: clicked
    dimension: engagement
    when: email.clicked
    where:
      - { field: resource, contains: /pricing }
      - { field: contact.city, is: Chicago }
    points: 10
    repeat: { within: 30d, multiplier: 1.5 }
    cap: [40, { points: 20, per: day }]
  - { id: unsub, when: email.unsubscribed, suppress: true }
  - { id: zero, when: [email.bounced, "sms.*"], set: 0, dimension: all }
  - { id: three, dimension: engagement, when: web.page_viewed, times: { min: 3 }, within: 7d, after: 30d, points: 5 }
  - { id: rec, dimension: engagement, when: "*", recency: [{ within: 24h, multiplier: 2 }, { within: 7d, multiplier: 1.5 }, { else: 0.5 }], points: { by: attributes.kind, values: { whitepaper: 20, 10: 5, 9: 4 } } }
  - { id: size, dimension: fit, points: { by: contact.account.employees, bands: [{ from: 11, points: 5 }, { from: 51, points: 10 }] } }
  - { id: title, dimension: fit, points: { by: contact.title, keywords: { ceo: 25, "vice president": 20 }, pick: sum } , where: [{ any: [{field: contact.a, exists: true}, {not: {field: contact.b, gt: 5}}, {not: [{field: contact.c, matches: "(?i)^a(b|c)$"}]}] }] }
  - { id: amount, dimension: engagement, when: product.bought, points: { by: attributes.amount, times: 0.1, else: 1 }, weight: 0.5, automated: count, scope: resource, decays: false, cap: { points: 5, per: week } }
  - { id: absent, dimension: engagement, when: email.opened, times: { max: 0 }, within: 10d, points: -5, automated: skipMaybe, cap: 3 }
  - { id: recent, dimension: engagement, when: email.clicked, within: 2w, points: 4, repeat: { within: 1h, multiplier: 0 } }
  - id: every-operator
    dimension: fit
    where:
      - { field: contact.a, isNot: 5 }
      - { field: contact.b, in: [Chicago, 5, true] }
      - { field: contact.c, notIn: ["none", "null", "5"] }
      - { field: contact.d.e, startsWith: "a: b" }
      - { field: contact.f, endsWith: "# x" }
      - { all: [{ field: contact.g, gte: 1 }, { field: contact.h, lt: -0.5 }, { field: contact.i, lte: 1e-7 }] }
      - { field: contact.j, exists: false }
    points: { by: contact.k, values: { a: 1, "b c": 2 }, else: -1 }
    weight: -2
  - { id: asleep, dimension: fit, inactive: 180d, where: [{ field: contact.l, contains: x }], set: 3 }
  - { id: tired, dimension: engagement, inactive: 36h, points: 2, decays: true, cap: 4, weight: 3 }
  - { id: gone, dimension: engagement, inactive: 90d, points: -10 }
thresholds: [25, 50, { at: 75, rearm: 70 }]
triggers:
  - { id: alert-sales, reaches: 80 }
  - { id: nurture, dropsBelow: 40, rearm: 45 }
  - { id: surge, risesBy: 20, within: 24h }
grades: [{ id: cold, from: -10 }, { id: warm, from: 26 }, { id: mql, from: 51 }, { id: sql, from: 76 }]
salesReady: 75
routes: { sql: senior-reps, mql: all-reps, warm: sdr-team }
activity: [email.opened]
lift: [form.submitted]
`;

export const twentyMistakes = `modle: lead
version: 1.5
timeZone: Europe/Berln
dimensions:
  engagement: { max: 50, decay: { percent: 5, every: 30 days } }
  fit: { max: 50 }
total: engagment + (fit * 2
rules:
  - id: clicked
    dimention: engagement
    when: email.clicked
    where:
      - { field: resource, contain: /pricing }
      - { field: contcat.city, is: Chicago }
      - { field: resource, matches: "(" }
    points: ten
    repeat: { within: 90m, multiplier: 1.5 }
  - id: clicked
    dimension: fit
    points: 5
    times: { min: 3 }
  - id: cut
    dimension: all
    when: email
    points: 5
thresholds: [25, { at: 75, rearm: 80 }]
grades: [{ id: cold, from: 0 }, { id: warm, from: 30 }, { id: hot, from: 30 }]
routes: { hto: senior-reps }
`;
