export const profiles = {
  asking: "Asking for profiles",
  none: "No profile came in this time. Run a continuous profiler in the service and point it here:",
  nothing: "nothing",
  before: "the time before",
  sandwich: "Sandwich",
  bothSides: "This function from both sides",
  callees: "What it calls",
  callers: "Who calls it",
  course: (type: string) => `${type} over time`,
};
