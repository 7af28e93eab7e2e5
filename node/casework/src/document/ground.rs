//! Grounds (事由) as papers write them, with the article (依据) behind each.

use protocol::event::DeclineGround;

use super::way::Way;

const MEDIATION: &str = "《人民调解工作若干规定》";
const PETITION: &str = "《信访工作条例》";

/// Why a matter is not taken on, in a sentence.
pub(crate) fn reason(ground: DeclineGround) -> &'static str {
    match ground {
        DeclineGround::Pending => "该事项已由人民法院、仲裁机构或者行政机关受理或者处理",
        DeclineGround::OtherProcedure => "依照法律、法规，该事项应当通过诉讼、仲裁、行政复议等法定程序处理",
        DeclineGround::Petitioned => "同一事项正在通过信访程序办理或者已经办结",
        DeclineGround::Discipline => "该事项属于检举控告，应当由纪检监察机关或者有权处理的机关受理",
        DeclineGround::Refused => "当事人一方明确拒绝调解",
        DeclineGround::OtherPlace => "该事项不属于本单位管辖范围",
        DeclineGround::Unfounded => "所提材料没有具体的请求、事实和理由",
    }
}

/// The article on which that rests.
pub(crate) fn article(ground: DeclineGround, way: Way) -> String {
    let mediates = way.mediates();
    match ground {
        DeclineGround::Pending if mediates => format!("{MEDIATION}第二十二条第二项"),
        DeclineGround::OtherProcedure if mediates => format!("{MEDIATION}第二十二条第一项"),
        DeclineGround::OtherPlace if mediates => format!("{MEDIATION}第二十一条"),
        DeclineGround::Refused => "《中华人民共和国人民调解法》第十七条".to_owned(),
        DeclineGround::Pending | DeclineGround::OtherProcedure => format!("{PETITION}第三十一条"),
        DeclineGround::Petitioned => format!("{PETITION}第三十六条"),
        DeclineGround::Discipline => format!("{PETITION}第三十条"),
        DeclineGround::OtherPlace => format!("{PETITION}第二十三条"),
        DeclineGround::Unfounded => format!("{PETITION}第十八条"),
    }
}
