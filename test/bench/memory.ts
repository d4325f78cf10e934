/** What so many contacts take in memory, in a process of its own; printed as JSON. */
import { memoryOf } from "./engine.js";

console.log(JSON.stringify(await memoryOf(Number(process.argv[2]))));
