namespace AiWorkflows.Hosting.Dashboard.Rendering;

/// <summary>The symbols of the states, once a page; everything else refers to them.</summary>
internal static class Sprite
{
    public static readonly Markup Symbols = Markup.Raw("""
        <svg width="0" height="0" aria-hidden="true" focusable="false"><defs>
        <symbol id="aw-ok" viewBox="0 0 16 16"><path fill="currentColor" d="M8 .8a7.2 7.2 0 1 0 0 14.4A7.2 7.2 0 0 0 8 .8zm3.9 5.6-4.5 4.8a.8.8 0 0 1-1.2 0L4.1 9.1 5.3 8l1.5 1.5 3.9-4.2z"/></symbol>
        <symbol id="aw-retry" viewBox="0 0 16 16"><path fill="currentColor" d="M8 .8a7.2 7.2 0 1 0 0 14.4A7.2 7.2 0 0 0 8 .8zm3.9 5.6-4.5 4.8a.8.8 0 0 1-1.2 0L4.1 9.1 5.3 8l1.5 1.5 3.9-4.2z"/></symbol>
        <symbol id="aw-bad" viewBox="0 0 16 16"><path fill="currentColor" d="M5 .8h6L15.2 5v6L11 15.2H5L.8 11V5zm.4 3.5L4.3 5.4 6.9 8l-2.6 2.6 1.1 1.1L8 9.1l2.6 2.6 1.1-1.1L9.1 8l2.6-2.6-1.1-1.1L8 6.9z"/></symbol>
        <symbol id="aw-run" viewBox="0 0 16 16"><circle cx="8" cy="8" r="6.2" fill="none" stroke="currentColor" stroke-width="2" opacity=".25"/><path fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" d="M8 1.8A6.2 6.2 0 0 1 14.2 8"/></symbol>
        <symbol id="aw-wait" viewBox="0 0 16 16"><circle cx="8" cy="8" r="6.2" fill="none" stroke="currentColor" stroke-width="1.6"/><path fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" d="M8 4.6V8l2.3 1.5"/></symbol>
        <symbol id="aw-skip" viewBox="0 0 16 16"><path fill="none" stroke="currentColor" stroke-width="1.9" stroke-linecap="round" stroke-linejoin="round" d="m2.2 4 4 4-4 4m5-8 4 4-4 4m6.4-8.2v8.4"/></symbol>
        <symbol id="aw-cancel" viewBox="0 0 16 16"><circle cx="8" cy="8" r="6.2" fill="none" stroke="currentColor" stroke-width="1.6"/><path stroke="currentColor" stroke-width="1.6" d="m3.8 12.2 8.4-8.4"/></symbol>
        <symbol id="aw-warn" viewBox="0 0 16 16"><path fill="currentColor" d="M8 1.2a1 1 0 0 1 .9.5l6.3 11.3a1 1 0 0 1-.9 1.5H1.7a1 1 0 0 1-.9-1.5L7.1 1.7a1 1 0 0 1 .9-.5zM7.2 6v4h1.6V6zm0 5.2v1.6h1.6v-1.6z"/></symbol>
        <symbol id="aw-pause" viewBox="0 0 16 16"><circle cx="8" cy="8" r="6.2" fill="none" stroke="currentColor" stroke-width="1.6"/><path stroke="currentColor" stroke-width="1.8" d="M6.2 5.4v5.2M9.8 5.4v5.2"/></symbol>
        <symbol id="aw-none" viewBox="0 0 16 16"><circle cx="8" cy="8" r="6.2" fill="none" stroke="currentColor" stroke-width="1.6"/></symbol>
        </defs></svg>
        """);
}
