import { useQuery } from "@tanstack/react-query";
import { type KeyboardEvent, useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "react";
import { useNavigate } from "react-router";
import { questions } from "../api/questions";
import { useWords } from "../words";
import { commandsOf, fitting } from "./commands";
import styles from "./palette.module.css";

/** What there is to go to is asked for each time that the palette opens, and again while it is open, in milliseconds. */
const FRESH = { staleTime: 0, refetchInterval: 5_000 };

/** Go anywhere by its name: pages, services, releases, a trace by its id, a text in the logs. */
export function Palette({ close }: { close: () => void }) {
  const { say } = useWords();
  const navigate = useNavigate();
  const dialog = useRef<HTMLDialogElement>(null);
  const list = useId();
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const { data: services = [] } = useQuery({ ...questions.services(), ...FRESH });
  const { data: releases = [] } = useQuery({ ...questions.releases(), ...FRESH });
  const commands = useMemo(() => commandsOf(say, services, releases), [say, services, releases]);
  const found = useMemo(() => fitting(commands, text, say), [commands, text, say]);
  // Before the first paint, so that not one key that is typed after Ctrl+K goes elsewhere.
  useLayoutEffect(() => {
    if (!dialog.current?.open) dialog.current?.showModal();
  }, []);
  const chosen = found[at]?.id;
  useEffect(() => {
    if (chosen !== undefined) document.getElementById(`${list}${at}`)?.scrollIntoView({ block: "nearest" });
  }, [list, at, chosen]);
  const go = (index: number) => {
    const command = found[index];
    if (command === undefined) return;
    dialog.current?.close();
    navigate(command.to);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const count = Math.max(found.length, 1);
    if (event.key === "ArrowDown") setAt((at + 1) % count);
    else if (event.key === "ArrowUp") setAt((at - 1 + count) % count);
    else if (event.key === "Enter") go(at);
    else return;
    event.preventDefault();
  };
  return (
    <dialog ref={dialog} onClose={close} className={styles.palette} aria-label={say.palette.title}>
      <input
        role="combobox"
        aria-label={say.palette.title}
        aria-expanded="true"
        aria-controls={list}
        aria-activedescendant={found.length > 0 ? `${list}${at}` : undefined}
        placeholder={say.palette.hint}
        spellCheck={false}
        autoComplete="off"
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setAt(0);
        }}
        onKeyDown={onKeyDown}
      />
      <div id={list} role="listbox" aria-label={say.palette.title}>
        {found.map((command, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the box above takes the keys
          <div
            key={command.id}
            id={`${list}${index}`}
            role="option"
            tabIndex={-1}
            aria-selected={index === at}
            onClick={() => go(index)}
          >
            <span>{command.text}</span>
            <small>{command.kind}</small>
          </div>
        ))}
      </div>
    </dialog>
  );
}
