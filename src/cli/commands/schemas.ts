/** `schemas`: check and register the shipped Avro schemas with a schema registry. */
import { Command } from "commander";
import { type GivenKafkaOptions, readRegistryConfig } from "../../config/kafka.js";
import { ScorefoldError } from "../../errors.js";
import type { SubjectState } from "../../kafka/schemas.js";
import { formatOption } from "../arguments.js";
import { registryOption, registrySettings } from "../cluster.js";
import type { Io } from "../io.js";
import { ProblemsFound } from "../problems.js";
import { type Column, counted, renderTable } from "../table.js";

interface SchemasOptions extends Pick<GivenKafkaOptions, "schemaRegistry"> {
  readonly format: string;
}

const help = `
The registry can be a variable, SCOREFOLD_SCHEMA_REGISTRY_URL. Variables only: SCOREFOLD_SCHEMA_REGISTRY_USERNAME,
_PASSWORD and _CA (a PEM file).`;

export function schemasCommand(io: Io): Command {
  return new Command("schemas")
    .description("check and register the Avro schemas of this version with a schema registry")
    .addHelpText(
      "after",
      `
Examples:
  $ scorefold schemas check --schema-registry http://localhost:8081
  $ scorefold schemas register --schema-registry http://localhost:8081`,
    )
    .addCommand(checkCommand(io))
    .addCommand(registerCommand(io));
}

function checkCommand(io: Io): Command {
  return new Command("check")
    .description("say of each subject whether its schema is registered, or could be; exit code 3 if one could not")
    .addOption(registryOption())
    .addOption(formatOption(["table", "json"]))
    .addHelpText("after", help)
    .action(async (options: SchemasOptions) => {
      await withStates(io, options, async (states) => show(io, options, states));
    });
}

function registerCommand(io: Io): Command {
  return new Command("register")
    .description("register what is not registered yet; nothing at all, and exit code 3, if one schema is incompatible")
    .addOption(registryOption())
    .addOption(formatOption(["table", "json"]))
    .addHelpText("after", help)
    .action(async (options: SchemasOptions) => {
      await withStates(io, options, async (states, register) => {
        const isFit = states.every(({ state }) => state !== "incompatible");
        show(io, options, isFit ? await register() : states);
      });
    });
}

/** @throws ScorefoldError `usage`, `input-missing`, `registry-failed`, `schema-incompatible` */
async function withStates(
  io: Io,
  options: SchemasOptions,
  run: (states: readonly SubjectState[], register: () => Promise<readonly SubjectState[]>) => Promise<void>,
): Promise<void> {
  const result = readRegistryConfig(options, io.env);
  if (!result.ok) throw new ScorefoldError("usage", result.problems.join("\n"));
  const { registry: config } = result.config;
  if (config === null) {
    const missing = "--schema-registry is missing; expected its URL (or SCOREFOLD_SCHEMA_REGISTRY_URL)";
    throw new ScorefoldError("usage", missing);
  }
  // Loaded here: other commands need none of it.
  const [{ SchemaRegistry }, { checkSubjects, registerSubjects, shippedSubjects }] = await Promise.all([
    import("../../kafka/registry.js"),
    import("../../kafka/schemas.js"),
  ]);
  const registry = new SchemaRegistry(await registrySettings(config));
  try {
    const subjects = shippedSubjects();
    await run(await checkSubjects(registry, subjects), async () => {
      await registerSubjects(registry, subjects);
      return await checkSubjects(registry, subjects);
    });
  } finally {
    registry.close();
  }
}

function show(io: Io, { format }: SchemasOptions, states: readonly SubjectState[]): void {
  const rows = states.map(({ subject, state, id, why }) => ({ subject, state, id, why }));
  if (format === "json") for (const row of rows) io.stdout.write(`${JSON.stringify(row)}\n`);
  else {
    const columns: Column[] = [
      { title: "subject" },
      { title: "schema" },
      { title: "id", align: "right" },
      { title: "why not" },
    ];
    io.stdout.write(
      renderTable(
        columns,
        rows.map(({ subject, state, id, why }) => [subject, state, id === null ? "" : String(id), why ?? ""]),
      ),
    );
  }
  const wrong = rows.filter(({ state }) => state === "incompatible").length;
  io.stderr.write(`${counted(rows.length, "subject")}${wrong === 0 ? "" : `, ${wrong} incompatible`}\n`);
  if (wrong > 0) throw new ProblemsFound();
}
