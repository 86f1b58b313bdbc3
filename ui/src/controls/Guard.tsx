import { Component, type ReactNode } from "react";
import { Problem } from "./Problem";

/** Keeps a failure while drawing inside one part of the page, and says so in words. */
export class Guard extends Component<{ children: ReactNode }, { problem: Error | null }> {
  override state: { problem: Error | null } = { problem: null };

  static getDerivedStateFromError(problem: Error) {
    return { problem };
  }

  override render() {
    if (this.state.problem === null) return this.props.children;
    return <Problem problem={this.state.problem} again={() => this.setState({ problem: null })} />;
  }
}
