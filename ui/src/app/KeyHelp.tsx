import { useEffect, useRef } from "react";
import { Button } from "../controls/Button";
import { useWords } from "../words";
import { SECTIONS } from "./sections";
import styles from "./shell.module.css";

/** The list of shortcuts, as a dialog. */
export function KeyHelp({ open, close }: { open: boolean; close: () => void }) {
  const { say } = useWords();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (open && !dialog.current?.open) dialog.current?.showModal();
  }, [open]);
  const rows: [string, string][] = [
    ["/", say.keyList.search],
    ...SECTIONS.map(({ key, word }): [string, string] => [`g ${key}`, say.goTo(word(say))]),
    ["Ctrl K", say.keyList.palette],
    ["?", say.keyList.help],
    ["Esc", say.keyList.close],
  ];
  return (
    <dialog ref={dialog} onClose={close} className={styles.keys} aria-label={say.keys}>
      <h2>{say.keys}</h2>
      <dl>
        {rows.map(([keys, text]) => (
          <div key={keys}>
            <dt>
              {keys.split(" ").map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
      <Button onClick={() => dialog.current?.close()}>{say.close}</Button>
    </dialog>
  );
}
