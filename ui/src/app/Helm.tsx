const SPOKES = [0, 45, 90, 135, 180, 225, 270, 315];

/** The mark of the page: a ship's wheel. */
export function Helm() {
  return (
    <svg viewBox="0 0 32 32" width="26" height="26" aria-hidden="true">
      <g fill="none" stroke="currentColor" strokeWidth="2" strokeLinecap="round">
        <circle cx="16" cy="16" r="8" />
        <circle cx="16" cy="16" r="2" fill="currentColor" />
        {SPOKES.map((angle) => (
          <path key={angle} d="M16 13.5V3.5" transform={`rotate(${angle} 16 16)`} />
        ))}
      </g>
    </svg>
  );
}
