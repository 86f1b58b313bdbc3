import type { ComponentProps } from "react";
import styles from "./controls.module.css";

/** A button; `quiet` has no frame. */
export function Button({
  quiet = false,
  className,
  ...rest
}: ComponentProps<"button"> & { quiet?: boolean }) {
  const classes = [styles.button, quiet ? styles.quiet : "", className ?? ""].filter(Boolean).join(" ");
  return <button type="button" {...rest} className={classes} />;
}
