using System.Globalization;
using System.Text;
using WasmJit.Jit;

namespace WasmJit.Text;

/// <summary>
/// Module and instance types. Their own types and aliases are printed where they are used, if the reader makes the same
/// definitions of that at the same places; otherwise as definitions.
/// </summary>
internal sealed partial class WatPrinter
{
    /// <summary>The type that is being printed the inside of.</summary>
    private Inside? inside;

    /// <summary>A type of the index space of a module or instance type.</summary>
    /// <param name="Offset">Where its definition is; of an alias -1.</param>
    /// <param name="Depth">The enclosing thing of an alias.</param>
    /// <param name="Index">The type there.</param>
    private readonly record struct InnerType(int Offset, uint Depth, uint Index);

    private sealed class Inside(WatPrinter printer, Inside? outer)
    {
        private readonly List<InnerType> types = [];
        private readonly Dictionary<string, int> firstWithBytes = [];
        private readonly Dictionary<(uint, uint), int> firstAlias = [];
        private readonly Dictionary<int, string> bytes = [];

        /// <summary>How many types the reader has made, when it is at the place that is being printed.</summary>
        private int known;

        private uint Level { get; } = outer is null ? 1 : outer.Level + 1;

        internal Inside? Outer { get; } = outer;

        internal bool Failed { get; private set; }

        /// <summary>Whether types have been read that are not printed yet.</summary>
        internal bool HasPending => known < types.Count;

        internal int Known
        {
            get => known;
            set
            {
                known = value;
                Failed = false;
            }
        }

        internal void Add(ReadOnlySpan<byte> definition, int offset)
        {
            string key = Convert.ToHexString(definition);
            bytes[types.Count] = key;
            firstWithBytes.TryAdd(key, types.Count);
            types.Add(new InnerType(offset, 0, 0));
        }

        internal void AddAlias(uint depth, uint index)
        {
            firstAlias.TryAdd((depth, index), types.Count);
            types.Add(new InnerType(-1, depth, index));
        }

        /// <summary>A type of the module itself that has an id is called by it.</summary>
        private string? NameOf(InnerType type)
        {
            if (type.Offset >= 0 || type.Depth != Level - 1 || type.Index >= printer.module.Types.Count) return null;
            string name = printer.types[type.Index];
            return name[0] == '$' ? name : null;
        }

        private bool Makes(int index)
        {
            if (index < known) return true;
            if (index != known || index >= types.Count) Failed = true;
            else known++;
            return !Failed;
        }

        /// <summary>The type as a heap type.</summary>
        internal string Reference(uint index)
        {
            if (index >= types.Count) return index.ToString(CultureInfo.InvariantCulture);
            int at = (int)index;
            InnerType type = types[at];
            if (type.Offset < 0)
            {
                if (NameOf(type) is { } name && firstAlias[(type.Depth, type.Index)] == at && Makes(at)) return name;
            }
            else if (at >= known)
            {
                string body = Body(type);
                if (Makes(at)) return body;
            }
            if (at >= known) Failed = true;
            return index.ToString(CultureInfo.InvariantCulture);
        }

        /// <summary>The type as a type use: a function, module or instance type is written out.</summary>
        internal string Use(uint index)
        {
            // A long type is written out once.
            if (index < types.Count && types[(int)index].Offset >= 0 && firstWithBytes[bytes[(int)index]] == (int)index
                && ((int)index >= known || bytes[(int)index].Length < 120))
            {
                int before = known;
                string body = Body(types[(int)index]);
                // In parentheses, behind the keyword. What an inner type says anew must be nothing new.
                int head = body.IndexOfAny([' ', ')']);
                if (((int)index >= before || known == before) && Makes((int)index)) return body[head..^1].TrimStart();
            }
            return $"(type {Reference(index)})";
        }

        private string Body(InnerType type)
        {
            ByteReader reader = printer.At(type.Offset);
            return printer.Composite(ref reader, uint.MaxValue);
        }

        /// <summary>The types read and not printed yet, as definitions.</summary>
        internal string Definitions()
        {
            var text = new StringBuilder();
            for (Failed = false; known < types.Count; known++)
            {
                InnerType type = types[known];
                text.Append(type.Offset < 0
                    ? $" (alias outer {type.Depth} {NameOf(type) ?? type.Index.ToString(CultureInfo.InvariantCulture)} (type))"
                    : $" (type {Body(type)})");
            }
            return text.ToString();
        }
    }

    private readonly Dictionary<int, (string Text, int End)> linkingBodies = [];

    private string LinkingBody(ref ByteReader reader)
    {
        // The inside does not depend on what is around it.
        int begin = reader.Position;
        if (!linkingBodies.TryGetValue(begin, out (string Text, int End) done)) linkingBodies[begin] = done = (NewLinkingBody(ref reader), reader.Position);
        reader.Position = done.End;
        return done.Text;
    }

    private string NewLinkingBody(ref ByteReader reader)
    {
        System.Runtime.CompilerServices.RuntimeHelpers.EnsureSufficientExecutionStack();
        var scope = new Inside(this, inside);
        inside = scope;
        var body = new StringBuilder();
        uint count = reader.U32();
        for (uint i = 0; i < count; i++)
        {
            int at = reader.Position;
            switch (reader.U8())
            {
                case DefinitionByte.Type:
                    {
                        int start = reader.Position;
                        SkipComposite(ref reader);
                        scope.Add(module.Bytes.Span[start..reader.Position], start);
                        break;
                    }
                case DefinitionByte.Alias:
                    {
                        reader.U8();
                        uint depth = reader.U32();
                        reader.U8();
                        scope.AddAlias(depth, reader.U32());
                        break;
                    }
                default:
                    {
                        int known = scope.Known;
                        reader.Position = at;
                        string item = Item(ref reader);
                        if (scope.Failed || scope.HasPending)
                        {
                            scope.Known = known;
                            body.Append(scope.Definitions());
                            reader.Position = at;
                            item = Item(ref reader);
                        }
                        body.Append(item);
                        break;
                    }
            }
        }
        body.Append(scope.Definitions());
        inside = scope.Outer;
        return body.ToString();
    }

    private string Item(ref ByteReader reader)
    {
        if (reader.U8() == DefinitionByte.Import) return $" (import {ImportNames(ref reader)} {Extern(ref reader, "")})";
        return $" (export {Quote(reader.Name())} {Extern(ref reader, "")})";
    }

    /// <summary>Reads over a type without printing it.</summary>
    private static void SkipComposite(ref ByteReader reader)
    {
        switch (reader.U8())
        {
            case TypeByte.Func:
                for (int part = 0; part < 2; part++)
                    for (uint n = reader.U32(); n > 0; n--) CodeReader.SkipValType(ref reader);
                break;
            case TypeByte.Struct:
                for (uint n = reader.U32(); n > 0; n--) SkipField(ref reader);
                break;
            case TypeByte.Array: SkipField(ref reader); break;
            case TypeByte.Memory: SkipLimits(ref reader); break;
            case TypeByte.Table:
                CodeReader.SkipValType(ref reader);
                SkipLimits(ref reader);
                break;
            case TypeByte.Global: SkipField(ref reader); break;
            case TypeByte.Tag:
                reader.U8();
                reader.U32();
                break;
            default:
                for (uint n = reader.U32(); n > 0; n--) SkipDefinition(ref reader);
                break;
        }
    }

    private static void SkipDefinition(ref ByteReader reader)
    {
        switch (reader.U8())
        {
            case DefinitionByte.Type: SkipComposite(ref reader); break;
            case DefinitionByte.Import:
                ImportNames(ref reader);
                SkipExtern(ref reader);
                break;
            case DefinitionByte.Export:
                reader.Name();
                SkipExtern(ref reader);
                break;
            default:
                reader.U8();
                reader.U32();
                reader.U8();
                reader.U32();
                break;
        }
    }

    private static void SkipExtern(ref ByteReader reader)
    {
        switch (reader.U8())
        {
            case ExternByte.Table:
                CodeReader.SkipValType(ref reader);
                SkipLimits(ref reader);
                break;
            case ExternByte.Memory: SkipLimits(ref reader); break;
            case ExternByte.Global: SkipField(ref reader); break;
            case ExternByte.Tag:
                reader.U8();
                reader.U32();
                break;
            default: reader.U32(); break;
        }
    }

    private static void SkipField(ref ByteReader reader)
    {
        if (reader.Peek() is TypeByte.I8 or TypeByte.I16) reader.U8();
        else CodeReader.SkipValType(ref reader);
        reader.U8();
    }

    private static void SkipLimits(ref ByteReader reader)
    {
        byte flags = reader.U8();
        reader.U64();
        if ((flags & LimitsFlags.HasMaximum) != 0) reader.U64();
        if ((flags & LimitsFlags.HasPageSize) != 0) reader.U32();
    }
}
