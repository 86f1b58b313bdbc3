import { describe, expect, it } from "vitest";
import { about, byRule, type HazardFinding, type HazardRule, rulesWith } from "./model";

const finding = (rule: string, severity: string): HazardFinding => ({
  ...{ rule, severity, state: "active", subject: "Pod a", title: rule, message: "", evidence: [] },
  object: { kind: "Pod", namespace: "shop", name: "checkout-7c9", container: "" },
  ...{ first_seen: "", last_seen: "", resolved: null, history: [], fingerprint: rule, fixable: false },
});
const rule = (id: string, title: string): HazardRule => ({
  ...{ id, title, family: "dns", severity: "high", hurting: "high", why: "because", advice: "" },
  ...{ sources: [], queries: [] },
});

describe("hazards", () => {
  it("stand by cause, the worst first, then the most frequent", () => {
    const found = [finding("A", "low"), finding("B", "high"), finding("C", "low"), finding("C", "info")];
    const causes = byRule(found, [rule("B", "bad")]);
    expect(causes.map(({ id, severity, findings }) => [id, severity, findings.length])).toEqual([
      ["B", "high", 1],
      ["C", "low", 2],
      ["A", "low", 1],
    ]);
    expect(causes[0]?.rule?.title).toBe("bad");
    expect(causes[1]?.rule).toBeNull();
  });

  it("are about a service by its object's name", () => {
    const one = finding("A", "low");
    expect([about(one, "checkout"), about(one, "check"), about(one, "checkout-7c9")]).toEqual([
      true,
      false,
      true,
    ]);
  });

  it("are found by every word", () => {
    const rules = [rule("DNS-001", "Names with five dots"), rule("DNS-002", "Other")];
    expect(rulesWith(rules, "dns dots").map(({ id }) => id)).toEqual(["DNS-001"]);
    expect(rulesWith(rules, "")).toHaveLength(2);
  });
});
