using WasmJit.Components;
using WasmJit.Jit.Format;

namespace WasmJit.Text;

/// <summary>What has index spaces of its own.</summary>
internal enum ScopeKind : byte { Component, ComponentType, InstanceType, ModuleType }

/// <summary>
/// A component, or a component, instance or module type, while it is read: its index spaces and the bytes of its definitions. Definitions
/// refer to earlier ones alone, so that each is written when it has been read, and what it implies right before it.
/// </summary>
/// <param name="kind">What it is.</param>
/// <param name="id">Its id, by which aliases refer to it.</param>
/// <param name="outer">What it is in.</param>
internal sealed class ComponentScope(ScopeKind kind, string? id, ComponentScope? outer)
{
    private readonly SortedDictionary<Sort, IndexSpace> spaces = [];
    private readonly Dictionary<(Sort Sort, string Id), uint> outerItems = [];
    private readonly List<(byte Kind, ByteWriter Items)> sections = [];
    private readonly Dictionary<string, uint> funcTypes = [];
    private readonly List<TypeOrigin> types = [];
    private uint count;

    internal ScopeKind Kind { get; } = kind;

    internal string? Id { get; } = id;

    internal ComponentScope? Outer { get; } = outer;

    private readonly int depth = outer is null ? 0 : outer.depth + 1;

    /// <summary>Whether it is in more others than validation allows anyway. What is nested is written once for each that it is in.</summary>
    internal bool IsTooDeep => depth > 2 * ComponentDefinition.MaxNesting;

    /// <summary>What is so many levels outside, null if there are not so many; 0 is this one.</summary>
    internal ComponentScope? Enclosing(uint depth)
    {
        ComponentScope? around = this;
        for (uint i = 0; i < depth && around is not null; i++) around = around.Outer;
        return around;
    }

    /// <summary>The name for the name section.</summary>
    internal string? Name { get; set; }

    /// <summary>The exports that are written in definitions. They follow all other definitions.</summary>
    internal List<(Sort Sort, uint Index, byte[] Name)> LateExports { get; } = [];

    internal IndexSpace Space(Sort sort)
    {
        if (!spaces.TryGetValue(sort, out IndexSpace? space)) spaces[sort] = space = new IndexSpace(sort.Text());
        return space;
    }

    // ---- items of enclosing components that are named by their id ----

    internal bool FindOuter(Sort sort, string name, out uint index) => outerItems.TryGetValue((sort, name), out index);

    internal void RememberOuter(Sort sort, string name, uint index) => outerItems[(sort, name)] = index;

    // ---- types ----

    /// <summary>What is known of a component type: where it is defined and its bytes; null for one whose definition is elsewhere.</summary>
    internal TypeOrigin? TypeAt(uint index) => index < types.Count && types[(int)index].Bytes.Length > 0 ? types[(int)index] : null;

    /// <summary>Notes what a component type is that has got the next index.</summary>
    internal void NoteType(TypeOrigin? origin) => types.Add(origin ?? new TypeOrigin(this, []));

    /// <summary>A function type in a module type by its bytes, so that type uses share it.</summary>
    internal bool FindFuncType(string encoding, out uint index) => funcTypes.TryGetValue(encoding, out index);

    internal void AddFuncType(string encoding, uint index) => funcTypes.TryAdd(encoding, index);

    // ---- definitions ----

    /// <summary>Adds a definition.</summary>
    internal void Add(byte definition, ReadOnlySpan<byte> item)
    {
        if (Kind != ScopeKind.Component)
        {
            count++;
            if (sections.Count == 0) sections.Add((ComponentSectionId.Custom, new ByteWriter()));
            sections[0].Items.U8(Declaration(definition));
            sections[0].Items.Bytes(item);
            return;
        }
        bool isSingle = definition is ComponentSectionId.Custom or ComponentSectionId.CoreModule or ComponentSectionId.Component or ComponentSectionId.Start;
        if (isSingle || sections.Count == 0 || sections[^1].Kind != definition)
        {
            Close();
            sections.Add((definition, new ByteWriter()));
        }
        count++;
        sections[^1].Items.Bytes(item);
    }

    /// <summary>Puts the number of its items before the section that is complete.</summary>
    private void Close()
    {
        if (sections.Count == 0) return;
        (byte last, ByteWriter items) = sections[^1];
        uint number = count;
        count = 0;
        if (last is ComponentSectionId.Custom or ComponentSectionId.CoreModule or ComponentSectionId.Component or ComponentSectionId.Start) return;
        sections[^1] = (last, ByteWriter.Counted((int)number, items));
    }

    /// <summary>The byte before a declaration in a type.</summary>
    private byte Declaration(byte definition) => (Kind, definition) switch
    {
        (ScopeKind.ModuleType, ComponentSectionId.Import) => DeclaratorByte.ModuleImport,
        (ScopeKind.ModuleType, ComponentSectionId.CoreType) => DeclaratorByte.ModuleType,
        (ScopeKind.ModuleType, ComponentSectionId.Alias) => DeclaratorByte.ModuleAlias,
        (ScopeKind.ModuleType, _) => DeclaratorByte.ModuleExport,
        (_, ComponentSectionId.CoreType) => DeclaratorByte.CoreType,
        (_, ComponentSectionId.Type) => DeclaratorByte.Type,
        (_, ComponentSectionId.Alias) => DeclaratorByte.Alias,
        (_, ComponentSectionId.Import) => DeclaratorByte.Import,
        _ => DeclaratorByte.Export,
    };

    /// <summary>The declarations of a type behind their number.</summary>
    internal void WriteDeclarations(ByteWriter writer)
    {
        writer.U32(count);
        if (sections.Count > 0) writer.Bytes(sections[0].Items.Span);
    }

    /// <summary>The bytes of the component.</summary>
    internal byte[] Assemble()
    {
        Close();
        var output = new ByteWriter();
        output.Bytes(ComponentHeader.Bytes);
        foreach ((byte section, ByteWriter content) in sections)
        {
            output.U8((byte)section);
            output.Sized(content);
        }
        return output.ToArray();
    }

    /// <summary>The name section; empty if nothing has a name.</summary>
    internal byte[] NameSection()
    {
        byte[] content = ComponentNames.Write(Name, spaces.Select(s => (s.Key, s.Value.Names)));
        if (content.Length == 0) return content;
        var section = new ByteWriter();
        section.Name(ComponentNames.SectionName);
        section.Bytes(content);
        return section.ToArray();
    }
}

/// <summary>A type as it is written, and the scope whose indices are in it.</summary>
internal sealed record TypeOrigin(ComponentScope Scope, byte[] Bytes);
