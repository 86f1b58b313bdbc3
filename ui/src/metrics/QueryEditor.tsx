import {
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
} from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { bracketMatching, HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { lintKeymap } from "@codemirror/lint";
import { EditorState, Prec } from "@codemirror/state";
import { EditorView, keymap, placeholder } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { PromQLExtension } from "@prometheus-io/codemirror-promql";
import { useEffect, useRef } from "react";
import styles from "./metrics.module.css";

interface Props {
  label: string;
  hint: string;
  value: string;
  /** Taken over with Enter, or when it is left. */
  onTake: (query: string) => void;
}

/** A PromQL editor: names, labels and values completed from the server, mistakes underlined. Shift+Enter is a new line. */
export default function QueryEditor({ label, hint, value, onTake }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const latest = useRef({ onTake, value });
  latest.current = { onTake, value };
  // biome-ignore lint/correctness/useExhaustiveDependencies: the editor is made once; its text follows below
  useEffect(() => {
    if (box.current === null) return;
    const promql = new PromQLExtension().setComplete({ remote: { url: "/prometheus", httpMethod: "GET" } });
    const take = (editor: EditorView) => {
      const text = editor.state.doc.toString().trim();
      if (text !== latest.current.value) latest.current.onTake(text);
      return true;
    };
    const editor = new EditorView({
      parent: box.current,
      state: EditorState.create({
        doc: value,
        extensions: [
          history(),
          bracketMatching(),
          closeBrackets(),
          autocompletion(),
          promql.asExtension(),
          syntaxHighlighting(HIGHLIGHT),
          EditorView.lineWrapping,
          placeholder(hint),
          EditorView.contentAttributes.of({ "aria-label": label, spellcheck: "false" }),
          EditorView.domEventHandlers({
            blur: (_, editor) => {
              take(editor);
            },
          }),
          keymap.of([...closeBracketsKeymap, ...completionKeymap, ...lintKeymap, ...historyKeymap]),
          // Enter takes a completion first (above), then the query; Tab stays the way out of the editor.
          Prec.low(keymap.of([{ key: "Enter", run: take }, ...defaultKeymap])),
        ],
      }),
    });
    view.current = editor;
    return () => editor.destroy();
  }, []);
  useEffect(() => {
    const editor = view.current;
    if (editor === null || editor.state.doc.toString() === value) return;
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: value } });
  }, [value]);
  return <div ref={box} className={styles.editor} />;
}

const HIGHLIGHT = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.modifier], color: "var(--candidate)" },
  { tag: [tags.function(tags.variableName)], color: "var(--link)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--syntax-text)" },
  { tag: [tags.number], color: "var(--unsure)" },
  { tag: [tags.labelName], color: "var(--fine)" },
  { tag: [tags.comment], color: "var(--ink-soft)", fontStyle: "italic" },
]);
