import { useLocation, useSearchParams } from "react-router";
import { changeReleaseAddress } from "../address/release";
import type { Finding } from "../api/wire";
import { typeOf } from "./evidence/profileTypes";
import { anchorOf } from "./ranking";

/** Where a finding's evidence is on this page; that of a function is looked up in the flame graph. */
export function useEvidence() {
  const [search] = useSearchParams();
  const { pathname } = useLocation();
  return (finding: Finding) => {
    const isFunction = finding.signal === "profiles";
    const address = changeReleaseAddress(
      search,
      isFunction ? { find: finding.subject, frame: null, profile: typeOf(finding) } : {},
    );
    return { pathname, search: `?${address}`, hash: isFunction ? "#profiles" : `#${anchorOf(finding)}` };
  };
}
