import { Link } from "react-router";

/** An address that somebody gave: a page of ours, a page of the web, or else text. */
export function Away({ to, children }: { to: string; children?: string }) {
  const { origin } = window.location;
  if (to.startsWith(`${origin}/`)) {
    const path = to.slice(origin.length);
    return <Link to={path}>{children ?? path}</Link>;
  }
  if (!/^https?:\/\//i.test(to)) return <span>{children ?? to}</span>;
  return (
    <a href={to} rel="noreferrer noopener" target="_blank">
      {children ?? to}
    </a>
  );
}
