import { apiPath } from "../../api/client";
import type { Comparison, Finding, ProfileTypes } from "../../api/wire";
import { ofSignal } from "../ranking";

/** The types that findings are about, the worst first. A finding's evidence names its type. */
export function typesFound(comparison: Comparison): string[] {
  const types = ofSignal(comparison, "profiles").map(typeOf);
  return [...new Set(types.filter((type) => type !== null))];
}

/** The type of profile that a finding's evidence is of, or null. */
export function typeOf({ evidence }: Finding): string | null {
  return new URL(evidence.api, "http://pilothouse.invalid").searchParams.get("type");
}

/** All types to choose from: those found first, then what else was profiled. */
export function typesToChoose(comparison: Comparison, there: ProfileTypes | undefined): string[] {
  return [...new Set([...typesFound(comparison), ...(there?.types ?? []).map(({ type }) => type)])];
}

/** The call that says what was profiled of the service. */
export function typesCall(comparison: Comparison): string {
  return apiPath("/api/profiles/types", { service: comparison.service, ...windowOf(comparison) });
}

/** The call for one type's difference; without a type, the server chooses. */
export function diffCall(comparison: Comparison, type: string | null): string {
  const { service, baseline, candidate } = comparison;
  const versions = { baseline: baseline.version, candidate: candidate.version };
  return apiPath("/api/profiles/diff", { service, ...versions, type, ...windowOf(comparison) });
}

/** From the first moment of either side to the last; RFC 3339 in UTC sorts as text. */
function windowOf({ baseline, candidate }: Comparison): { start: string; end: string } {
  return {
    start: baseline.start < candidate.start ? baseline.start : candidate.start,
    end: baseline.end > candidate.end ? baseline.end : candidate.end,
  };
}
