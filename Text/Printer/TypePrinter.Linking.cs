using System.Text;
using WasmJit.Jit.Format;

namespace WasmJit.Text;

/// <summary>Module and instance types.</summary>
internal sealed partial class TypePrinter
{
    /// <summary>The module or instance type whose inside is being printed.</summary>
    private InnerTypes? inside;

    private readonly Dictionary<int, (string Text, int End)> linkingBodies = [];

    private string LinkingBody(ref ByteReader reader)
    {
        // The text does not depend on the place.
        int begin = reader.Position;
        if (!linkingBodies.TryGetValue(begin, out (string Text, int End) done)) linkingBodies[begin] = done = (NewLinkingBody(ref reader), reader.Position);
        reader.Position = done.End;
        return done.Text;
    }

    private string NewLinkingBody(ref ByteReader reader)
    {
        System.Runtime.CompilerServices.RuntimeHelpers.EnsureSufficientExecutionStack();
        var scope = new InnerTypes(this, module, ids, inside);
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
                        TypeBytes.SkipComposite(ref reader);
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
        return $" (export {TextStrings.Quote(reader.Name())} {Extern(ref reader, "")})";
    }
}
