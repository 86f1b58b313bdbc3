import { Suspense, useCallback, useEffect, useRef, useState } from "react";
import { Link, Route, Routes, useLocation } from "react-router";
import { Guard } from "../controls/Guard";
import { Progress } from "../controls/Progress";
import { Palette } from "../palette/Palette";
import { useWords } from "../words";
import { Helm } from "./Helm";
import { KeyHelp } from "./KeyHelp";
import { useShortcuts } from "./keys";
import { NotFound } from "./NotFound";
import { Preferences } from "./Preferences";
import { PLACES, SECTIONS } from "./sections";
import styles from "./shell.module.css";

/** The frame around every page: skip link, navigation, preferences, and the page itself. */
export function Shell() {
  const { say } = useWords();
  const { pathname } = useLocation();
  const main = useRef<HTMLElement>(null);
  const [help, setHelp] = useState(false);
  const [palette, setPalette] = useState(false);
  const showHelp = useCallback(() => setHelp(true), []);
  const showPalette = useCallback(() => setPalette(true), []);
  useShortcuts(showHelp, showPalette);
  useFocusOnNavigation(main, pathname);
  const row = useRef<HTMLElement>(null);
  useSectionInSight(row, pathname);
  return (
    <>
      <a className={styles.skip} href="#main">
        {say.skip}
      </a>
      <header className={styles.bar}>
        <Link to="/" className={styles.brand} aria-label={`${say.name}: ${say.releases}`}>
          <Helm />
          <span>{say.name}</span>
        </Link>
        <nav ref={row} aria-label={say.sections}>
          {SECTIONS.map((section) => (
            <Link
              key={section.path}
              to={section.path}
              aria-current={isInside(pathname, section.path) ? "page" : undefined}
              aria-keyshortcuts={`g ${section.key}`}
            >
              {section.word(say)}
            </Link>
          ))}
        </nav>
        <Preferences showKeys={showHelp} showPalette={showPalette} />
      </header>
      <main id="main" ref={main} tabIndex={-1} className={styles.main}>
        <Guard key={pathname}>
          <Suspense fallback={<Progress what={say.working} />}>
            <Routes>
              {PLACES.map(({ path, page: Page }) => (
                <Route key={path} path={path} element={<Page />} />
              ))}
              <Route path="*" element={<NotFound />} />
            </Routes>
          </Suspense>
        </Guard>
      </main>
      {palette ? <Palette close={() => setPalette(false)} /> : null}
      <KeyHelp open={help} close={() => setHelp(false)} />
    </>
  );
}

function isInside(pathname: string, section: string): boolean {
  if (section === "/") return pathname === "/" || pathname.startsWith("/releases");
  return pathname === section || (section !== "/explore" && pathname.startsWith(`${section}/`));
}

/** A new page is read from its start, as if the browser had loaded it. */
function useFocusOnNavigation(main: React.RefObject<HTMLElement | null>, pathname: string) {
  const shown = useRef(pathname);
  useEffect(() => {
    if (shown.current === pathname) return;
    shown.current = pathname;
    main.current?.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }, [main, pathname]);
}

/** On a narrow screen the row of sections scrolls: the current one is brought into sight, in the middle if it can be. */
function useSectionInSight(row: React.RefObject<HTMLElement | null>, pathname: string) {
  // biome-ignore lint/correctness/useExhaustiveDependencies: the current section follows from the path
  useEffect(() => {
    const inside = row.current;
    const current = inside?.querySelector<HTMLElement>('[aria-current="page"]');
    if (!inside || !current) return;
    inside.scrollLeft =
      current.offsetLeft - inside.offsetLeft - (inside.clientWidth - current.offsetWidth) / 2;
  }, [row, pathname]);
}
