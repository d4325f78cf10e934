/** `models`: check, show, test and list the scoring models. */
import { dirname, join } from "node:path";
import { Command } from "commander";
import { ScorefoldError } from "../../errors.js";
import { describeModel } from "../../model/describe.js";
import { printModel } from "../../model/print.js";
import { suggestion } from "../../nearest.js";
import { formatScenarioResult, runScenarioFile } from "../../rebuild/scenario.js";
import { formatOption, modelsOption } from "../arguments.js";
import { type Io, painter } from "../io.js";
import { checkFiles, filesAt, formatProblem, isTestFile, loadModels, readText } from "../models.js";
import { ProblemsFound } from "../problems.js";
import { counted, renderTable } from "../table.js";

export function modelsCommand(io: Io): Command {
  return new Command("models")
    .description("check, show, test and list scoring models")
    .addHelpText(
      "after",
      `
Examples:
  $ scorefold models check models/lead.yaml
  $ scorefold models test`,
    )
    .addCommand(checkCommand(io))
    .addCommand(showCommand(io))
    .addCommand(testCommand(io))
    .addCommand(listCommand(io));
}

function checkCommand(io: Io): Command {
  return new Command("check")
    .description("name every problem of model files, each with its place; exit code 3 if there are errors")
    .argument("[paths...]", "model files or directories", ["models"])
    .addHelpText(
      "after",
      `
Examples:
  $ scorefold models check                      every model in models/
  $ scorefold models check models/commerce.yaml one file; editors make links of file:line:column

Warnings ask for a second look; they leave the exit code at 0.`,
    )
    .action((paths: string[]) => {
      const { models, files, problems } = checkFiles(paths);
      for (const problem of problems) io.stdout.write(`${formatProblem(problem)}\n`);
      const errors = problems.filter(({ severity }) => severity === "error").length;
      const warnings = problems.length - errors;
      const parts = [counted(models.length, "good model")];
      if (errors > 0) parts.push(counted(errors, "error"));
      if (warnings > 0) parts.push(counted(warnings, "warning"));
      io.stderr.write(`${counted(files.length, "file")}: ${parts.join(", ")}\n`);
      if (errors > 0) throw new ProblemsFound();
    });
}

function showCommand(io: Io): Command {
  return new Command("show")
    .description("all rules of a model as text one can read aloud; yaml prints the model in its canonical form")
    .argument("[models...]", "model ids, files or directories (default: all of --models)")
    .addOption(modelsOption())
    .addOption(formatOption(["text", "yaml"]))
    .addHelpText(
      "after",
      `
Examples:
  $ scorefold models show models/marketing-suite.yaml
  $ scorefold models show purchases --format yaml`,
    )
    .action((names: string[], options: { models: string; format: string }) => {
      const ids = names.filter((name) => !/[/.]/.test(name));
      const paths = names.filter((name) => !ids.includes(name));
      const shown = paths.length > 0 ? loadModels(paths) : [];
      // Files that are broken but not asked for are no matter here.
      const inDirectory = ids.length > 0 || names.length === 0 ? checkFiles([options.models]).models : [];
      for (const id of ids) {
        const found = inDirectory.filter(({ model }) => model.id === id);
        if (found.length === 0) {
          const known = inDirectory.map(({ model }) => model.id);
          const message = `there is no good model \`${id}\` in ${options.models}${suggestion(id, known)}`;
          throw new ScorefoldError("input-missing", message);
        }
        shown.push(...found.map(({ model }) => model));
      }
      if (names.length === 0) shown.push(...loadModels([options.models]));
      if (options.format === "yaml" && shown.length > 1) {
        const all = shown.map(({ id }) => id).join(", ");
        throw new ScorefoldError("usage", `a model file holds one model; name one of ${all}`);
      }
      const print = options.format === "yaml" ? printModel : describeModel;
      io.stdout.write(`${shown.map((model) => print(model).trimEnd()).join("\n\n")}\n`);
    });
}

function testCommand(io: Io): Command {
  return new Command("test")
    .description(
      "run scenario files: inputs over time, then the scores and outputs they must give; exit code 3 if one fails",
    )
    .argument("[paths...]", "scenario files (*.test.yaml) or directories", ["models"])
    .addHelpText(
      "after",
      `
Examples:
  $ scorefold models test                            every scenario in models/
  $ scorefold models test models/lead.test.yaml

A scenario file, models/lead.test.yaml:
  model: lead.yaml
  scenarios:
    - name: two clicks within a month count one and a half times
      inputs:
        - { at: +0d, type: email.clicked }
        - { at: +1d, type: email.clicked }
      expect:
        - { at: +1d, score: 25 }

Inputs are interactions (type), or profile, adjust, retract, erase. Beside expect there are three complete lists:
crossings, changes, erasures; what is not in them must not happen. The files in models/ show all of it.`,
    )
    .action((paths: string[]) => {
      const paint = painter(io, io.stdout);
      const files = paths.flatMap((path) => filesAt(path, "tests"));
      let passed = 0;
      let failed = 0;
      for (const file of files) {
        const readModel = (name: string): string | undefined => {
          try {
            return readText(join(dirname(file), name));
          } catch {
            return undefined;
          }
        };
        for (const result of runScenarioFile(readText(file), file, readModel)) {
          if (result.outcome === "passed") passed += 1;
          else failed += 1;
          const isModel = result.outcome === "invalid" && !isTestFile(file);
          const hint = `\n  is this a model? Its scenarios belong in ${file.replace(/\.\w+$/, ".test.yaml")}`;
          const text = formatScenarioResult(result) + (isModel ? hint : "");
          io.stdout.write(`${paint(result.outcome === "passed" ? "green" : "red", text)}\n`);
        }
      }
      io.stderr.write(`${counted(passed, "scenario")} passed, ${failed} failed, in ${counted(files.length, "file")}\n`);
      if (failed > 0) throw new ProblemsFound();
    });
}

function listCommand(io: Io): Command {
  return new Command("list")
    .description("the models of a directory")
    .addOption(modelsOption())
    .addOption(formatOption(["table", "json"]))
    .addHelpText(
      "after",
      `
Examples:
  $ scorefold models list
  $ scorefold models list --models models/archive --format json`,
    )
    .action((options: { models: string; format: string }) => {
      const { models, problems } = checkFiles([options.models]);
      if (options.format === "json") {
        for (const { file, model } of models)
          io.stdout.write(
            `${JSON.stringify({ file, model: model.id, version: model.version, name: model.name ?? null, rules: model.rules.length })}\n`,
          );
      } else {
        const rows = models.map(({ file, model }) => [
          model.id,
          String(model.version),
          model.name ?? "",
          model.dimensions.map(({ id }) => id).join(" "),
          String(model.rules.length),
          model.tenants?.join(" ") ?? "all",
          file,
        ]);
        io.stdout.write(
          renderTable(
            [
              { title: "model" },
              { title: "version", align: "right" },
              { title: "name", widthMax: 40 },
              { title: "dimensions", widthMax: 30 },
              { title: "rules", align: "right" },
              { title: "tenants", widthMax: 30 },
              { title: "file" },
            ],
            rows,
          ),
        );
      }
      const broken = new Set(problems.filter(({ severity }) => severity === "error").map(({ file }) => file));
      for (const file of broken)
        io.stderr.write(`${file}: has errors; \`scorefold models check ${file}\` names them\n`);
      if (broken.size > 0) throw new ProblemsFound();
    });
}
