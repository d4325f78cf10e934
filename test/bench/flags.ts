/** What the command gives Node, for processes that are started without it. */
export const nodeFlags = ["--max-semi-space-size=16", "--heap-growing-percent=60"];
