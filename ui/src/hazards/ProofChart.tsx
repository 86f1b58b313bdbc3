import { RangeChart } from "../metrics/Expression";
import { useSelection } from "../selection/useSelection";

/** The metric that would prove a hazard, over the last hour or what the address says. */
export default function ProofChart({ query }: { query: string }) {
  const selection = useSelection();
  return (
    <RangeChart
      query={query}
      selection={selection}
      facts={{}}
      exemplars={false}
      height={120}
      sync="proof"
      compact
    />
  );
}
