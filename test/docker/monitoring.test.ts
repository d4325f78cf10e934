/** Alert rules, the dashboard, and the README's alerts: every query can be parsed, and asks for metrics that exist. */
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { parser } from "@prometheus-io/lezer-promql";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { createMetrics, createWorkersMetrics } from "../../src/telemetry.js";
import { compose, root, type Service, textOf } from "./given.js";

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string };
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly datasource: { readonly uid: string };
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string; readonly datasource: { readonly uid: string } }[];
}

interface Dashboard {
  readonly uid: string;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition: string }[] };
}

/** Of Prometheus itself, and of an engine that has several workers. */
const givenLabels = ["job", "instance", "worker"];
const labelsOf = await labelsByMetric();
const { groups } = parse(textOf("docker/prometheus/rules.yml")) as { groups: { rules: Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);
const dashboard = JSON.parse(textOf("docker/grafana/dashboards/scorefold.json")) as Dashboard;
const panels = dashboard.panels.filter(({ type }) => type !== "row");

/** The labels of each name that an engine's metrics have, as they are asked for. */
async function labelsByMetric(): Promise<ReadonlyMap<string, readonly string[]>> {
  const engine = createMetrics(async () => ({ tasks: [], logBytes: 0 }));
  const found = new Map<string, readonly string[]>([["up", []]]);
  const registries = [engine.registry, createWorkersMetrics().registry];
  const texts = await Promise.all(registries.map((registry) => registry.metrics()));
  for (const line of texts.join("\n").split("\n")) {
    const [, name, type] = /^# TYPE (\w+) (\w+)$/.exec(line) ?? [];
    if (name === undefined) continue;
    const registry = registries.find((one) => one.getSingleMetric(name) !== undefined)!;
    const { labelNames } = registry.getSingleMetric(name) as unknown as { labelNames: readonly string[] };
    if (type !== "histogram") found.set(name, labelNames);
    else {
      found.set(`${name}_bucket`, [...labelNames, "le"]);
      for (const part of ["sum", "count"]) found.set(`${name}_${part}`, labelNames);
    }
  }
  return found;
}

/** What is wrong with a query; Grafana's variables stand for anything. */
function problemsOf(query: string): string[] {
  const text = query.replaceAll("$__rate_interval", "5m");
  const problems: string[] = [];
  const metrics: string[] = [];
  const labels = new Set<string>();
  parser.parse(text).iterate({
    enter: ({ type, from, to, node }) => {
      const own = text.slice(from, to);
      if (type.isError) problems.push(`can't be parsed at ${from}: ${text.slice(from)}`);
      if (type.name === "Identifier" && node.parent?.name === "VectorSelector") metrics.push(own);
      if (type.name === "LabelName") labels.add(own);
    },
  });
  if (metrics.length === 0) problems.push("asks for no metric");
  for (const metric of metrics) if (!labelsOf.has(metric)) problems.push(`${metric} is no metric of an engine`);
  const known = [...givenLabels, ...metrics.flatMap((metric) => labelsOf.get(metric) ?? [])];
  for (const label of labels) if (!known.includes(label)) problems.push(`none of its metrics has the label ${label}`);
  return problems;
}

it("queries that are wrong are found", () => {
  expect(problemsOf("sum(rate(scorefold_inputs_total[5m])")).toEqual([expect.stringContaining("can't be parsed")]);
  expect(problemsOf("scorefold_input_total")).toEqual(["scorefold_input_total is no metric of an engine"]);
  expect(problemsOf("sum by (kind) (scorefold_inputs_total)")).toEqual(["none of its metrics has the label kind"]);
  expect(problemsOf("scorefold_commit_seconds")).toHaveLength(1);
});

describe("alert rules", () => {
  it.each(rules)("$alert asks for what is there, and says what to do", ({ expr, labels, annotations }) => {
    expect(problemsOf(expr)).toEqual([]);
    expect(["critical", "warning", "info"]).toContain(labels.severity);
    expect(annotations.summary).not.toBe("");
    expect(annotations.description).toMatch(/\.$|\?$/);
  });

  it("have names of their own", () => {
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  });

  it("are those of the README", () => {
    const [, block] = /```promql\n(.*?)```/s.exec(textOf("README.md"))!;
    const plain = (query: string): string => query.replace(/\s+/g, " ").trim();
    const told = block!
      .trimEnd()
      .split("\n")
      .map((line) => plain(line.replace(/\s#.*/, "")));
    expect(told).toEqual(rules.map(({ expr }) => plain(expr)));
  });
});

describe("the dashboard", () => {
  const queries = panels.flatMap(({ title, targets }) => (targets ?? []).map(({ expr }) => ({ title, expr })));

  it.each(queries)("$title: $expr", ({ expr }) => {
    expect(problemsOf(expr)).toEqual([]);
  });

  it("has a query in every panel, and panels that do not lie upon each other", () => {
    expect(panels.filter(({ targets }) => (targets ?? []).length === 0)).toEqual([]);
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
    const taken = new Set<string>();
    for (const { title, gridPos } of dashboard.panels) {
      const { x, y, w, h } = gridPos;
      expect({ title, fits: x >= 0 && x + w <= 24 }).toEqual({ title, fits: true });
      for (let i = x; i < x + w; i++) {
        for (let j = y; j < y + h; j++) {
          expect({ title, isFree: !taken.has(`${i},${j}`) }).toEqual({ title, isFree: true });
          taken.add(`${i},${j}`);
        }
      }
    }
  });

  it("asks for the variables that it has", () => {
    const names = dashboard.templating.list.map(({ name }) => `$${name}`);
    const used = new Set(queries.flatMap(({ expr }) => expr.match(/\$\w+/g) ?? []));
    used.delete("$__rate_interval");
    expect([...used].sort()).toEqual(names.sort());
    for (const { definition } of dashboard.templating.list)
      expect(problemsOf(/^label_values\((.*), \w+\)$/.exec(definition)![1]!)).toEqual([]);
  });

  it("shows every metric of the engine's own", () => {
    const shown = queries.flatMap(({ expr }) => expr.match(/\w+/g) ?? []);
    const names = [...labelsOf.keys()].filter((name) => /^scorefold_(?!.*_(sum|count)$)/.test(name));
    const hidden = names.filter((name) => !shown.includes(name));
    expect(hidden, "draw what is new, or name it here").toEqual(["scorefold_hot_contacts"]);
  });
});

describe("what is provisioned", () => {
  const prometheus = compose.services["prometheus"] as Service;
  const grafana = compose.services["grafana"] as Service;
  /** Where a file of the project lies in a container. */
  const inside = ({ volumes }: Service, file: string): string => {
    const mount = volumes!.map((one) => one.split(":")).find(([from]) => `./${file}`.startsWith(from as string))!;
    return `./${file}`.replace(mount[0] as string, mount[1] as string);
  };

  it("Prometheus scrapes the engine with its token, and reads the rules", () => {
    const path = "docker/prometheus/prometheus.yml";
    const config = parse(textOf(path)) as {
      rule_files: string[];
      scrape_configs: {
        job_name: string;
        authorization: { credentials_file: string };
        static_configs: { targets: string[] }[];
      }[];
    };
    const [job] = config.scrape_configs;
    const ports = (compose.services["scorefold"] as Service).ports!.map((port) => port.split(":")[2]);
    expect(job).toMatchObject({ job_name: "scorefold", static_configs: [{ targets: [`scorefold:${ports[0]}`] }] });
    const folder = "/etc/prometheus/";
    expect(prometheus.command).toContain(`--config.file=${inside(prometheus, path)}`);
    expect(inside(prometheus, "docker/prometheus/rules.yml")).toBe(`${folder}${config.rule_files[0]}`);
    expect(prometheus.configs![0]!.target).toBe(`${folder}${job!.authorization.credentials_file}`);
  });

  it("Grafana has the source of the panels, and the dashboard as its first page", () => {
    const { datasources } = parse(textOf("docker/grafana/provisioning/datasources/prometheus.yml")) as {
      datasources: { uid: string; url: string }[];
    };
    const [source] = datasources;
    const port = prometheus.ports![0]!.split(":")[2];
    expect(source!.url).toBe(`http://prometheus:${port}`);
    const uids = panels.flatMap(({ datasource, targets }) => [datasource, ...targets!.map((one) => one.datasource)]);
    expect(uids.filter(({ uid }) => uid !== source!.uid)).toEqual([]);
    const { providers } = parse(textOf("docker/grafana/provisioning/dashboards/scorefold.yml")) as {
      providers: { options: { path: string } }[];
    };
    const home = grafana.environment!["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"] as string;
    expect(home).toBe(inside(grafana, "docker/grafana/dashboards/scorefold.json"));
    expect(home).toBe(`${providers[0]!.options.path}/${basename(home)}`);
    expect(existsSync(join(root, "docker/grafana/dashboards", basename(home)))).toBe(true);
  });
});
