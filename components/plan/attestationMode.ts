/**
 * What is done about a version's attestations in this run. `fresh`: its index is written in this run. `repair`: something
 * is missing. `keep`: complete, and declared as the state has it, so that nothing runs and no preview shows a delete.
 * `none`: no resource.
 */
export type AttestationMode = "fresh" | "repair" | "keep" | "none";
