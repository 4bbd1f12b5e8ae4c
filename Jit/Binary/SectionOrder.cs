using WasmJit.Jit.Format;

namespace WasmJit.Jit.Binary;

/// <summary>The sections of a module: their order (spec 5.5.2), and the names that the text format has for them.</summary>
internal struct SectionOrder
{
    private static readonly string[] Names =
        ["", "type", "import", "func", "table", "memory", "global", "export", "start", "elem", "code", "data", "datacount", "tag", "module", "instance", "alias", "scope"];

    /// <summary>The highest place that a section of <see cref="IsEarly"/> has.</summary>
    internal const int LastEarly = 2;

    /// <summary>The place of a section by its id, from 1; -1 for an unknown id. Custom sections stand anywhere.</summary>
    internal static int Of(byte id) => id switch
    {
        <= SectionId.Memory => id,
        SectionId.Tag => 6,
        SectionId.Global => 7,
        SectionId.Export => 8,
        SectionId.Scope => 9,
        SectionId.Start => 10,
        SectionId.Element => 11,
        SectionId.DataCount => 12,
        SectionId.Code => 13,
        SectionId.Data => 14,
        // Module linking: the first sections come in any order.
        SectionId.Module or SectionId.Instance or SectionId.Alias => LastEarly,
        _ => -1,
    };

    /// <summary>Whether a section is one of those that a module of the extension may have in any order, any number of times.</summary>
    internal static bool IsEarly(byte id) => id is SectionId.Type or SectionId.Import or SectionId.Module or SectionId.Instance or SectionId.Alias;

    internal static string NameOf(byte id) => Names[id];

    /// <summary>The id; 0 if there is no such section.</summary>
    internal static byte IdOf(string name) => (byte)Math.Max(0, Array.IndexOf(Names, name));

    // ---- while the sections of a module are read ----

    private int last;

    /// <summary>Where the first sections come in an order that only modules of the extension may have; 0 if they do not.</summary>
    internal int FreeOrderAt { get; private set; }

    /// <summary>Whether there are sections of the extension.</summary>
    internal bool HasLinking { get; private set; }

    private bool hasModules;

    /// <summary>Notes a section that is not a custom one.</summary>
    /// <exception cref="MalformedModuleException">It may not stand here.</exception>
    internal void Add(byte id, int at)
    {
        int order = Of(id);
        if (order <= last && !(IsEarly(id) && last <= LastEarly)) throw new MalformedModuleException("unexpected content after last section", at);
        if (order <= last && id is (SectionId.Type or SectionId.Import) && FreeOrderAt == 0) FreeOrderAt = at;
        HasLinking |= id > SectionId.LastCore;
        hasModules |= id is SectionId.Module or SectionId.Instance;
        if (id == SectionId.Import && hasModules)
            throw new MalformedModuleException("unexpected content after last section: imports come before modules and instances", at);
        last = Math.Max(last, order);
    }
}
