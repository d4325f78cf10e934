/** A broker that looks at who may do what; where nothing is said of a thing, everybody may do everything with it. */
import type { Listeners } from "./listeners.js";

export const authorized: Listeners = {
  listeners: [],
  advertised: [],
  settings: {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "allow.everyone.if.no.acl.found": "true",
  },
  formatOptions: [],
};
