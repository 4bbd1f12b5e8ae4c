using WasmJit.DynamicLinking;
using WasmJit.Runtime;

namespace WasmJit.Linking;

/// <summary>The libraries that are loaded for one program, and which of them defines a symbol.</summary>
internal sealed class LinkMap
{
    private readonly List<DynamicLibrary> libraries = [], globals = [];
    private readonly Dictionary<string, Tag> tags = [];

    /// <summary>The program. It is known before it is linked, and before it is in the list.</summary>
    internal DynamicLibrary? Program { get; set; }

    /// <summary>The program and the libraries, in the order of linking: a library comes behind those that it needs.</summary>
    internal IReadOnlyList<DynamicLibrary> Libraries => libraries;

    /// <summary>The libraries with global symbols, behind the program, in the order in which they are searched.</summary>
    internal IReadOnlyList<DynamicLibrary> Globals => globals;

    internal void Clear()
    {
        Program = null;
        libraries.Clear();
        globals.Clear();
        tags.Clear();
    }

    internal void Add(DynamicLibrary library) => libraries.Add(library);

    /// <summary>Takes libraries out: from here on no lookup finds them.</summary>
    internal void Remove(IReadOnlyCollection<DynamicLibrary> gone)
    {
        libraries.RemoveAll(gone.Contains);
        globals.RemoveAll(gone.Contains);
    }

    /// <summary>Makes the symbols of libraries global, behind those that are global already.</summary>
    /// <returns>The libraries that were not global before.</returns>
    internal List<DynamicLibrary> MakeGlobal(IEnumerable<DynamicLibrary> added)
    {
        List<DynamicLibrary> promoted = [.. added.Where(l => !l.IsGlobal)];
        foreach (DynamicLibrary library in promoted) library.IsGlobal = true;
        globals.AddRange(promoted);
        return promoted;
    }

    /// <summary>Undoes <see cref="MakeGlobal"/>.</summary>
    internal void MakeLocal(List<DynamicLibrary> promoted)
    {
        foreach (DynamicLibrary library in promoted) library.IsGlobal = false;
        globals.RemoveAll(promoted.Contains);
    }

    /// <summary>A tag that no library defines, the same one for all that import it.</summary>
    internal Tag SharedTag(string name, DefType type)
    {
        if (tags.TryGetValue(name, out Tag? tag)) return tag;
        return tags[name] = new Tag(type);
    }

    // ---- symbols ----

    /// <summary>Where symbols are looked for: first in global libraries, then in those loaded with the one that asks. Some may come twice.</summary>
    internal IEnumerable<DynamicLibrary> ScopeOf(DynamicLibrary? library)
    {
        if (Program is not null) yield return Program;
        foreach (DynamicLibrary global in globals) yield return global;
        if (library is null) yield break;
        foreach (DynamicLibrary local in library.Scope)
            if (local.IsLoaded) yield return local;
    }

    /// <summary>The libraries behind one in the order in which it looks for symbols itself.</summary>
    internal IEnumerable<DynamicLibrary> ScopeBehind(DynamicLibrary library) =>
        ScopeOf(library).Distinct().SkipWhile(l => l != library).Skip(1);

    internal DynamicLibrary? Definer(DynamicLibrary? library, string name, ExternKind kind)
    {
        // A library of a megabyte asks for a hundred thousand symbols, each in all libraries.
        CancellationScope.ThrowIfStopped();
        return ScopeOf(library).FirstOrDefault(l => l.Defines(name, kind));
    }

    // ---- libraries ----

    internal DynamicLibrary? LoadedAt(string path) => libraries.FirstOrDefault(l => l != Program && l.Path == path);

    /// <summary>The libraries that stay because they, or others that use them, are open or run.</summary>
    internal HashSet<DynamicLibrary> Staying()
    {
        var stays = new HashSet<DynamicLibrary>();
        var rest = new Stack<DynamicLibrary>(libraries.Where(l => l.IsPinned || l.OpenCount > 0 || l.Users > 0));
        while (rest.TryPop(out DynamicLibrary? library))
        {
            if (!stays.Add(library)) continue;
            foreach (DynamicLibrary other in library.Needs) rest.Push(other);
            foreach (DynamicLibrary other in library.Bound) rest.Push(other);
        }
        return stays;
    }

    /// <summary>A library and all that it needs, itself first, then by distance: where its symbols are looked for.</summary>
    internal static List<DynamicLibrary> Tree(DynamicLibrary root)
    {
        var tree = new List<DynamicLibrary> { root };
        var known = new HashSet<DynamicLibrary> { root };
        for (int i = 0; i < tree.Count; i++)
            foreach (DynamicLibrary needed in tree[i].Needs)
                if (known.Add(needed)) tree.Add(needed);
        return tree;
    }

    /// <summary>Libraries in the order of need: each behind those that it needs. In a cycle, the one that was asked for first comes last.</summary>
    internal static List<DynamicLibrary> PostOrder(IEnumerable<DynamicLibrary> roots)
    {
        var order = new List<DynamicLibrary>();
        var known = new HashSet<DynamicLibrary>();
        var way = new Stack<(DynamicLibrary Library, int Next)>();
        foreach (DynamicLibrary root in roots)
        {
            if (!known.Add(root)) continue;
            way.Push((root, 0));
            while (way.TryPop(out (DynamicLibrary Library, int Next) here))
            {
                if (here.Next == here.Library.Needs.Count)
                {
                    order.Add(here.Library);
                    continue;
                }
                way.Push((here.Library, here.Next + 1));
                DynamicLibrary needed = here.Library.Needs[here.Next];
                if (known.Add(needed)) way.Push((needed, 0));
            }
        }
        return order;
    }
}
