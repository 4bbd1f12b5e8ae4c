using System.Collections.Immutable;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Format;
using WasmJit.Jit.Validation;
using WasmJit.Runtime;

namespace WasmJit.Components;

/// <summary>
/// Decodes components (Binary.md). Core modules in them are decoded and validated as any other; indices of the component itself stay as they are
/// written, apart from those of core types.
/// </summary>
internal ref partial struct ComponentDecoder
{
    private readonly ReadOnlyMemory<byte> memory;
    private readonly ReadOnlySpan<byte> bytes;
    private readonly ComponentDefinition component;
    private readonly CoreTypeScope coreTypes;
    private readonly DecodeSettings settings;
    private readonly ComponentProgress progress;
    private readonly Func<int, int, ModuleInfo>? modules;

    private ComponentDecoder(
        ComponentDefinition component, CoreTypeScope? outer, DecodeSettings settings, ComponentProgress progress, Func<int, int, ModuleInfo>? modules)
    {
        this.modules = modules;
        this.component = component;
        this.settings = settings;
        this.progress = progress;
        memory = component.Bytes;
        bytes = memory.Span;
        coreTypes = NewScope(outer);
    }

    /// <summary>Core types in components are those of the core specification. Types of runtime linking are not allowed.</summary>
    private readonly CoreTypeScope NewScope(CoreTypeScope? outer) => new(outer, ReadOnlyMemory<byte>.Empty, settings with { AllowLinking = false });

    /// <summary>Decodes a component.</summary>
    /// <param name="memory">The bytes. The caller must not change them afterwards.</param>
    /// <param name="settings">What the core modules in it are decoded for.</param>
    /// <param name="modules">Gives the core module between two offsets, if there is something that has them already.</param>
    /// <exception cref="MalformedModuleException">Not the binary format.</exception>
    /// <exception cref="InvalidModuleException">A core module or core type that is invalid.</exception>
    /// <exception cref="UnsupportedModuleException">A limit of this version.</exception>
    /// <exception cref="GuestCanceledException">The calling thread's guests are to stop.</exception>
    internal static ComponentDefinition Decode(ReadOnlyMemory<byte> memory, DecodeSettings? settings = null, Func<int, int, ModuleInfo>? modules = null) =>
        DeepStack.Run(() =>
        {
            var component = new ComponentDefinition(memory, 0, memory.Length, null);
            new ComponentDecoder(component, null, settings ?? DecodeSettings.All, new ComponentProgress(), modules).Run();
            return component;
        });

    private readonly void Run()
    {
        int begin = component.Begin, end = component.End;
        ReadOnlySpan<byte> own = bytes[begin..end];
        if (own.Length < 4) throw new MalformedModuleException(own.IsEmpty ? "unexpected end" : "unexpected end of magic header", begin);
        if (!own[..4].SequenceEqual(ComponentHeader.Bytes[..4])) throw new MalformedModuleException("magic header not detected", begin);
        if (own.Length < 8) throw new MalformedModuleException("unexpected end of version", begin + 4);
        if (own[4..8].SequenceEqual(stackalloc byte[] { 1, 0, 0, 0 }))
            throw new MalformedModuleException("expected a version header for a component: unknown binary version", begin + 4);
        if (!own[4..8].SequenceEqual(ComponentHeader.Bytes[4..])) throw new MalformedModuleException("unknown binary version", begin + 4);
        var reader = new ByteReader(bytes, begin + 8, end);
        while (!reader.AtEnd)
        {
            int at = reader.Position;
            byte id = reader.U8();
            if (id > ComponentSectionId.Last) throw reader.Error("malformed section id", at);
            int sizeAt = reader.Position;
            uint size = reader.U32();
            if (size > (uint)reader.Remaining) throw reader.Error("unexpected end-of-file: length out of bounds", sizeAt);
            var section = new ByteReader(bytes, reader.Position, reader.Position + (int)size);
            ReadSection(id, ref section);
            if (!section.AtEnd) throw section.Error("section size mismatch", section.Position);
            reader.Position += (int)size;
        }
    }

    private readonly void Add(Definition definition)
    {
        progress.Count(definition.Offset);
        component.Add(definition);
    }

    private readonly void ReadSection(byte id, ref ByteReader section)
    {
        switch (id)
        {
            case ComponentSectionId.Custom:
                string name = section.Name();
                component.Add(new ComponentCustomSection(name, section.Position, section.Remaining, component.Definitions.Count));
                section.Position = section.End;
                return;
            case ComponentSectionId.CoreModule:
                Add(new CoreModuleDefinition(section.Position, ReadCoreModule(ref section)));
                return;
            case ComponentSectionId.Component:
                Add(new NestedDefinition(section.Position, ReadNested(ref section)));
                return;
            case ComponentSectionId.Start:
                Add(ReadStart(ref section));
                return;
        }
        int count = section.Count();
        for (int i = 0; i < count; i++)
        {
            Add(id switch
            {
                ComponentSectionId.CoreInstance => ReadCoreInstance(ref section),
                ComponentSectionId.CoreType => ReadCoreType(ref section, coreTypes),
                ComponentSectionId.Instance => ReadInstance(ref section),
                ComponentSectionId.Alias => ReadAlias(ref section, coreTypes),
                ComponentSectionId.Type => new TypeDefinition(section.Position, ReadType(ref section, coreTypes, 0)),
                ComponentSectionId.Canon => ReadCanon(ref section),
                ComponentSectionId.Import => ReadImport(ref section, section.Position),
                ComponentSectionId.Export => ReadExport(ref section),
                _ => ReadValue(ref section),
            });
        }
    }

    private static MalformedModuleException LeadingByte(ref ByteReader reader, byte b, string what, int at) =>
        reader.Error($"invalid leading byte (0x{b:x}) for {what}", at);

    private readonly ModuleInfo ReadCoreModule(ref ByteReader section)
    {
        int begin = section.Position, end = section.End;
        if (ComponentHeader.IsComponent(bytes[begin..end])) throw section.Error("expected a version header for a module: unknown binary version", begin + 4);
        section.Position = end;
        if (modules is not null) return modules(begin, end);
        ModuleInfo module = ModuleDecoder.Decode(memory, begin, end, settings);
        ModuleValidator.Validate(module);
        return module;
    }

    private readonly ComponentDefinition ReadNested(ref ByteReader section)
    {
        if (component.Nesting + 1 >= ComponentDefinition.MaxNesting)
            throw new UnsupportedModuleException($"components nested more than {ComponentDefinition.MaxNesting} deep", section.Position);
        var nested = new ComponentDefinition(memory, section.Position, section.End, component);
        new ComponentDecoder(nested, coreTypes, settings, progress, modules).Run();
        section.Position = section.End;
        return nested;
    }

    // ---- instances ----

    private static Definition ReadCoreInstance(ref ByteReader reader)
    {
        int at = reader.Position;
        byte form = reader.U8();
        if (form == InstanceByte.Instantiate)
        {
            uint module = reader.U32();
            int count = reader.Count();
            var arguments = ImmutableArray.CreateBuilder<CoreArgument>(count);
            for (int i = 0; i < count; i++)
            {
                int argumentAt = reader.Position;
                string name = reader.Name();
                int sortAt = reader.Position;
                byte sort = reader.U8();
                if (sort != SortByte.CoreInstance) throw LeadingByte(ref reader, sort, "instantiation arg kind", sortAt);
                arguments.Add(new CoreArgument(name, reader.U32(), argumentAt));
            }
            return new CoreInstantiation(at, module, arguments.MoveToImmutable());
        }
        if (form != InstanceByte.Exports) throw LeadingByte(ref reader, form, "core instance", at);
        int exportCount = reader.Count();
        var exports = ImmutableArray.CreateBuilder<CoreInlineExport>(exportCount);
        for (int i = 0; i < exportCount; i++)
        {
            int exportAt = reader.Position;
            string name = reader.Name();
            int sortAt = reader.Position;
            byte b = reader.U8();
            Sort sort = SortByte.OfCore(b) ?? throw LeadingByte(ref reader, b, "core sort", sortAt);
            exports.Add(new CoreInlineExport(name, new SortIndex(sort, reader.U32()), exportAt));
        }
        return new CoreExportsInstance(at, exports.MoveToImmutable());
    }

    private static Definition ReadInstance(ref ByteReader reader)
    {
        int at = reader.Position;
        byte form = reader.U8();
        if (form == InstanceByte.Instantiate)
        {
            uint index = reader.U32();
            int count = reader.Count();
            var arguments = ImmutableArray.CreateBuilder<Argument>(count);
            for (int i = 0; i < count; i++)
            {
                int argumentAt = reader.Position;
                string name = reader.Name();
                arguments.Add(new Argument(name, ReadSortIndex(ref reader), argumentAt));
            }
            return new Instantiation(at, index, arguments.MoveToImmutable());
        }
        if (form != InstanceByte.Exports) throw LeadingByte(ref reader, form, "instance", at);
        int exportCount = reader.Count();
        var exports = ImmutableArray.CreateBuilder<InlineExport>(exportCount);
        for (int i = 0; i < exportCount; i++)
        {
            ExternName name = ReadExternName(ref reader);
            exports.Add(new InlineExport(name, ReadSortIndex(ref reader)));
        }
        return new ExportsInstance(at, exports.MoveToImmutable());
    }

    /// <summary>A sort behind which an index stands.</summary>
    private static SortIndex ReadSortIndex(ref ByteReader reader)
    {
        int at = reader.Position;
        if (SortByte.Read(ref reader, out byte b) is not { } sort) throw LeadingByte(ref reader, b, "component external kind", at);
        return new SortIndex(sort, reader.U32());
    }

    // ---- aliases ----

    private readonly AliasDefinition ReadAlias(ref ByteReader reader, CoreTypeScope scope)
    {
        int at = reader.Position;
        Sort? sort = SortByte.Read(ref reader, out byte b);
        int targetAt = reader.Position;
        byte target = reader.U8();
        switch (target)
        {
            case ComponentAliasByte.Export:
                if (sort is not { } exported || (exported.IsCore() && exported != Sort.CoreModule)) throw LeadingByte(ref reader, b, "component external kind", at);
                uint instance = reader.U32();
                return new ExportAlias(at, exported, instance, reader.Name());
            case ComponentAliasByte.CoreExport:
                if (sort is not { } core || core > Sort.CoreTag) throw LeadingByte(ref reader, b, "core external kind", at);
                uint coreInstance = reader.U32();
                return new CoreExportAlias(at, core, coreInstance, reader.Name());
            case ComponentAliasByte.Outer:
                if (sort is not { } outer || outer is not (Sort.CoreModule or Sort.CoreType or Sort.Component or Sort.Type))
                    throw LeadingByte(ref reader, b, "component outer alias kind", at);
                uint count = reader.U32(), index = reader.U32();
                if (outer == Sort.CoreType) scope.Types.Add(scope.Outer(count, at).Get(index, at));
                return new OuterAlias(at, outer, count, index);
            default:
                throw LeadingByte(ref reader, target, "alias", targetAt);
        }
    }

    // ---- imports, exports ----

    private static ExternName ReadExternName(ref ByteReader reader)
    {
        int at = reader.Position;
        byte form = reader.U8();
        if (form > ExternNameByte.WithAttributes) throw LeadingByte(ref reader, form, "component name", at);
        var name = new ExternName(reader.Name(), at);
        if (form != ExternNameByte.WithAttributes) return name;
        int count = reader.Count();
        for (int i = 0; i < count; i++)
        {
            int attributeAt = reader.Position;
            byte kind = reader.U8();
            if (kind > ExternNameByte.ExternalId) throw LeadingByte(ref reader, kind, "name option", attributeAt);
            string value = reader.Name();
            (string? before, string what) = kind switch
            {
                ExternNameByte.Implements => (name.Implements, "implements"),
                ExternNameByte.VersionSuffix => (name.VersionSuffix, "version suffix"),
                _ => (name.ExternalId, "external-id"),
            };
            if (before is not null) throw new InvalidModuleException($"duplicate '{what}' option in name", attributeAt);
            name = kind switch
            {
                ExternNameByte.Implements => name with { Implements = value },
                ExternNameByte.VersionSuffix => name with { VersionSuffix = value },
                _ => name with { ExternalId = value },
            };
        }
        return name;
    }

    private static ImportDefinition ReadImport(ref ByteReader reader, int at)
    {
        ExternName name = ReadExternName(ref reader);
        return new ImportDefinition(at, name, ReadExtern(ref reader));
    }

    private static ExportDefinition ReadExport(ref ByteReader reader)
    {
        int at = reader.Position;
        ExternName name = ReadExternName(ref reader);
        SortIndex item = ReadSortIndex(ref reader);
        return new ExportDefinition(at, name, item, IsThere(ref reader, "optional component export type") ? ReadExtern(ref reader) : null);
    }

    private static bool IsThere(ref ByteReader reader, string what)
    {
        int at = reader.Position;
        return reader.U8() switch
        {
            0 => false,
            1 => true,
            byte b => throw LeadingByte(ref reader, b, what, at),
        };
    }

    private static ExternSyntax ReadExtern(ref ByteReader reader)
    {
        int at = reader.Position;
        byte b = reader.U8();
        if (b == SortByte.Core)
        {
            byte core = reader.U8();
            if (core != SortByte.CoreModule) throw LeadingByte(ref reader, core, "component external kind", at);
            return new IndexedExtern(at, Sort.CoreModule, reader.U32());
        }
        if (SortByte.Of(b) is not { } sort) throw LeadingByte(ref reader, b, "component external kind", at);
        int boundAt = reader.Position;
        switch (sort)
        {
            case Sort.Type:
                return reader.U8() switch
                {
                    BoundByte.Eq => new TypeExtern(at, reader.U32()),
                    BoundByte.SubResource => new TypeExtern(at, null),
                    byte other => throw LeadingByte(ref reader, other, "type bound", boundAt),
                };
            case Sort.Value:
                return reader.U8() switch
                {
                    BoundByte.Eq => new ValueExtern(at, reader.U32(), null),
                    BoundByte.ValueType => new ValueExtern(at, null, ReadTypeUse(ref reader)),
                    byte other => throw LeadingByte(ref reader, other, "value bound", boundAt),
                };
            default:
                return new IndexedExtern(at, sort, reader.U32());
        }
    }

    // ---- start, values ----

    private static StartDefinition ReadStart(ref ByteReader reader)
    {
        int at = reader.Position;
        uint func = reader.U32();
        int count = reader.Count();
        var arguments = ImmutableArray.CreateBuilder<uint>(count);
        for (int i = 0; i < count; i++) arguments.Add(reader.U32());
        return new StartDefinition(at, func, arguments.MoveToImmutable(), reader.U32());
    }

    private static ValueDefinition ReadValue(ref ByteReader reader)
    {
        int at = reader.Position;
        TypeUse type = ReadTypeUse(ref reader);
        uint length = reader.U32();
        int start = reader.Position;
        reader.Bytes(length);
        return new ValueDefinition(at, type, start, (int)length);
    }
}

/// <summary>How far a decoder is with a component and all nested in it.</summary>
internal sealed class ComponentProgress
{
    /// <summary>Definitions and declarations, in all components and types: each takes memory out of proportion to its byte or two.</summary>
    internal const int MaxDefinitions = 1_000_000;

    private int definitions;

    /// <summary>Counts one, and tests now and then whether the work was cancelled.</summary>
    /// <exception cref="UnsupportedModuleException">There are too many.</exception>
    /// <exception cref="GuestCanceledException">The calling thread's guests are to stop.</exception>
    internal void Count(int at)
    {
        Limits.Check(++definitions, MaxDefinitions, "definitions in a component", at);
        if ((definitions & 0xff) == 0) CancellationScope.ThrowIfStopped();
    }
}
