import { Choice } from "../controls/Choice";
import { LANGUAGES, type Language, useWords } from "../words";
import styles from "./shell.module.css";
import { THEMES, type Theme, useTheme } from "./theme";

const ICONS: Record<Theme, string> = {
  auto: "M8 1.5a6.5 6.5 0 1 0 0 13Zm0 0a6.5 6.5 0 0 1 0 13",
  light:
    "M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6ZM8 .8v2M8 13.2v2M.8 8h2M13.2 8h2M2.9 2.9l1.4 1.4M11.7 11.7l1.4 1.4M13.1 2.9l-1.4 1.4M4.3 11.7l-1.4 1.4",
  dark: "M13.8 9.8A6.3 6.3 0 0 1 6.2 2.2a6.3 6.3 0 1 0 7.6 7.6Z",
};

/** Language, colours and the list of shortcuts. */
export function Preferences({ showKeys, showPalette }: { showKeys: () => void; showPalette: () => void }) {
  const { locale, say, setLanguage } = useWords();
  const { theme, setTheme } = useTheme();
  const languages = (Object.keys(LANGUAGES) as Language[]).map((value) => ({
    value,
    text: <span lang={value}>{LANGUAGES[value]}</span>,
  }));
  const themes = THEMES.map((value) => ({
    value,
    text: <Icon path={ICONS[value]} />,
    name: say.themes[value],
  }));
  return (
    // biome-ignore lint/a11y/useSemanticElements: this is no form
    <div role="group" aria-label={say.preferences} className={styles.preferences}>
      <button
        type="button"
        className={styles.goTo}
        onClick={showPalette}
        aria-label={say.palette.title}
        aria-keyshortcuts="Control+K"
        title={`${say.palette.title} (Ctrl+K)`}
      >
        <Icon path="M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9ZM10.4 10.4l3.4 3.4" />
      </button>
      <button type="button" className={styles.help} onClick={showKeys} aria-label={say.keys} title={say.keys}>
        ?
      </button>
      <Choice label={say.language} value={locale} options={languages} onChange={setLanguage} />
      <Choice label={say.theme} value={theme} options={themes} onChange={setTheme} />
    </div>
  );
}

function Icon({ path }: { path: string }) {
  return (
    <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
      <path d={path} fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" />
    </svg>
  );
}
