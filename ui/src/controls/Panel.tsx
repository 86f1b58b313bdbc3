import { type ReactNode, useId } from "react";
import styles from "./controls.module.css";
import { Guard } from "./Guard";

interface Props {
  title: string;
  lead?: ReactNode;
  aside?: ReactNode;
  id?: string;
  children: ReactNode;
}

/** A titled part of a page, a region for screen readers; a failure inside stays inside. */
export function Panel({ title, lead, aside, id, children }: Props) {
  const heading = useId();
  return (
    <section className={styles.panel} aria-labelledby={heading} id={id} tabIndex={id ? -1 : undefined}>
      <header>
        <h2 id={heading}>{title}</h2>
        {aside ? <div className={styles.aside}>{aside}</div> : null}
        {lead ? <p>{lead}</p> : null}
      </header>
      <Guard>{children}</Guard>
    </section>
  );
}
