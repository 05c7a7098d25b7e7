// AiWorkflows in the Hangfire dashboard: live parts, log tail, relative times, tooltips, actions. No dependency, no inline script.
// Every page can be read without it; it does nothing where no .aw element is present.
(function () {
  'use strict';
  var root = document.querySelector('.aw');
  if (!root) return;
  var skew = root.dataset.awNow ? Date.parse(root.dataset.awNow) - Date.now() : 0;     // the server's clock, never the browser's
  var all = function (sel, el) { return Array.prototype.slice.call((el || document).querySelectorAll(sel)); };
  var parse = function (html) { return new DOMParser().parseFromString(html, 'text/html'); };

  // ---- relative times: <time datetime="...Z" data-aw-rel>
  function ago(ms) {
    var s = Math.floor(Math.abs(ms) / 1000), u = s < 60 ? [s, 's'] : s < 3600 ? [Math.floor(s / 60), 'min'] : s < 172800 ? [Math.floor(s / 3600), 'h'] : [Math.floor(s / 86400), 'd'];
    return ms >= 0 ? u[0] + ' ' + u[1] + ' ago' : 'in ' + u[0] + ' ' + u[1];
  }
  function times(el) { all('time[data-aw-rel]', el).forEach(function (t) { t.textContent = ago(Date.now() + skew - Date.parse(t.dateTime)); }); }
  times(); setInterval(function () { times(); }, 15000);

  // ---- a strip or calendar is one tab stop; arrows walk inside
  function rove(el) { all('[data-aw-rove]', el).forEach(function (s) { all('a', s).forEach(function (x, i, a) { x.tabIndex = i === a.length - 1 ? 0 : -1; }); }); }
  rove();
  document.addEventListener('keydown', function (e) {
    var s = e.target.closest && e.target.closest('[data-aw-rove]');
    if (!s) return;
    var a = all('a', s), d = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7, Home: -1e6, End: 1e6 }[e.key], i = a.indexOf(document.activeElement);
    if (!d || i < 0 || (!s.classList.contains('aw-month') && Math.abs(d) === 7)) return;
    e.preventDefault(); var n = a[Math.max(0, Math.min(a.length - 1, i + d))]; a[i].tabIndex = -1; n.tabIndex = 0; n.focus();
  });

  // ---- live parts: a root with data-aw-live="URL" is asked for fresh HTML of its [data-aw-part]s; only what changed is replaced
  var badge = document.querySelector('.aw-live');
  function ended() { if (badge) { badge.classList.add('is-ended'); badge.textContent = 'ended, last state'; } }       // role=status: said once by a screen reader
  function online(ok) { if (badge) { badge.classList.toggle('is-off', !ok); var t = ok ? 'live' : 'offline, retrying'; if (badge.textContent !== t) badge.textContent = t; } }
  function swap(old, html) {
    var at = all('.aw-scroll, .aw-dag, .aw-log', old).map(function (x) { return [x.scrollLeft, x.scrollTop, x.scrollHeight - x.scrollTop - x.clientHeight < 30]; });
    old.innerHTML = html; times(old); rove(old);
    all('.aw-scroll, .aw-dag, .aw-log', old).forEach(function (x, i) { if (at[i]) { x.scrollLeft = at[i][0]; x.scrollTop = x.classList.contains('aw-log') && at[i][2] ? x.scrollHeight : at[i][1]; } });
    if (tip && !document.contains(tipFor)) hide();
  }
  function poll(el) {
    var every = +el.dataset.awEvery || 2000, wait = every, etag = null, seen = {};   // seen: what the server said, for script changes what stands in the page
    (function tick() {
      if (document.hidden) return setTimeout(tick, every);
      fetch(el.dataset.awLive, { credentials: 'same-origin', headers: etag ? { 'If-None-Match': etag } : {} }).then(function (r) {
        if (r.status !== 304 && !r.ok) throw r.status;
        online(true); wait = every; etag = r.headers.get('ETag');
        return r.status === 304 ? null : r.text().then(function (html) {
          all('[data-aw-part]', parse(html)).forEach(function (fresh) {
            var name = fresh.dataset.awPart, old = el.querySelector('[data-aw-part="' + name + '"]');
            if (!old || seen[name] === fresh.innerHTML) return;
            if (old.contains(document.activeElement)) { etag = null; return; }        // never steal the focus; ask again
            swap(old, seen[name] = fresh.innerHTML);
          });
          return r.headers.get('X-Aw-Ended') ? 'ended' : null;
        });
      }).catch(function () { online(false); wait = Math.min(wait * 2, 30000); return null; })
        .then(function (s) { if (s === 'ended') ended(); else setTimeout(tick, wait); });
    })();
  }

  // ---- log tail: <pre data-aw-log="URL" data-aw-after="ID"> gets new lines, keeps its end in view unless the reader scrolled up
  all('pre.aw-log').forEach(function (pre) { pre.scrollTop = pre.scrollHeight; });
  all('pre[data-aw-log]').forEach(function (pre) {
    var url = pre.dataset.awLog + (pre.dataset.awLog.indexOf('?') < 0 ? '?' : '&') + 'after=', after = pre.dataset.awAfter || 0, wait = 2000;
    (function tick() {
      if (document.hidden) return setTimeout(tick, 2000);
      fetch(url + after, { credentials: 'same-origin' }).then(function (r) {
        if (!r.ok) throw r.status;
        after = r.headers.get('X-Aw-Next') || after; wait = 2000;
        return r.text().then(function (html) {
          var end = pre.scrollHeight - pre.scrollTop - pre.clientHeight < 30;
          if (html) Array.prototype.slice.call(parse('<pre>' + html + '</pre>').querySelector('pre').childNodes).forEach(function (n) { pre.appendChild(document.importNode(n, true)); });
          while (pre.childNodes.length > 2000) pre.removeChild(pre.firstChild);
          if (end) pre.scrollTop = pre.scrollHeight;
          return r.headers.get('X-Aw-Ended');
        });
      }).catch(function () { wait = Math.min(wait * 2, 30000); }).then(function (stop) { if (!stop) setTimeout(tick, wait); });
    })();
  });

  // ---- forms: <form data-aw-post="URL"> posts with the dashboard's anti-forgery header; the answer's text is shown where it was refused
  document.addEventListener('submit', function (e) {
    var f = e.target; if (!f.dataset || !f.dataset.awPost) return;
    e.preventDefault();
    if (f.dataset.awConfirm && !window.confirm(f.dataset.awConfirm)) return;
    var meta = function (n) { var m = document.querySelector('meta[name="' + n + '"]'); return m && m.content; }, h = {}, b = f.querySelector('[type=submit]'), out = f.querySelector('output');
    if (meta('csrf-header')) h[meta('csrf-header')] = meta('csrf-token');
    if (b) b.disabled = true;                                                           // a double click must not run it twice
    fetch(f.dataset.awPost, { method: 'POST', credentials: 'same-origin', headers: h, body: new URLSearchParams(new FormData(f)) })
      .then(function (r) { if (!r.ok) return r.text().then(function (t) { throw new Error(t || 'refused (' + r.status + ')'); }); if (location.hash) location.replace(location.href.split('#')[0]); else location.reload(); })
      .catch(function (x) { if (b) { b.disabled = false; b.focus(); } if (out) out.textContent = x.message; });
  });

  // ---- copy: <pre> and, beside it, a button data-aw-copy
  document.addEventListener('click', function (e) {
    var b = e.target.closest && e.target.closest('[data-aw-copy]'); if (!b || !navigator.clipboard) return;
    navigator.clipboard.writeText(b.parentNode.querySelector('pre').textContent).then(function () { b.textContent = 'Copied'; });
  });

  // ---- tooltips for [data-tip] (HTML and SVG), on hover and on keyboard focus; Escape closes
  var tip = null, tipFor = null;
  function hide() { if (tip) { tip.remove(); tip = tipFor = null; } }
  function show(e) {
    var t = e.target.closest && e.target.closest('[data-tip]'); hide(); if (!t) return;
    tip = document.createElement('div'); tip.className = 'aw-tip'; tip.setAttribute('role', 'tooltip'); tip.textContent = t.getAttribute('data-tip'); tipFor = t; root.appendChild(tip);
    var r = t.getBoundingClientRect(), w = tip.offsetWidth, top = r.top - tip.offsetHeight - 7;
    tip.style.left = Math.max(6, Math.min(innerWidth - w - 6, r.left + r.width / 2 - w / 2)) + 'px';
    tip.style.top = (top < 60 ? r.bottom + 7 : top) + 'px';
  }
  ['mouseover', 'focusin'].forEach(function (n) { root.addEventListener(n, show); });
  ['mouseout', 'focusout'].forEach(function (n) { root.addEventListener(n, hide); });
  document.addEventListener('keydown', function (e) { if (e.key === 'Escape') hide(); });

  all('[data-aw-live]').forEach(poll);
})();
